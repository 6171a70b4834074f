using Whip.Protocol.Connect;
using Whip.Protocol.Legs;

namespace Whip.Broker.DialFront;

/// <summary>
/// The 102s of one pending dial. Most dials end before the first one, after half a second. Once disposed, none is being written, and the leg
/// is free for the answer.
/// </summary>
internal sealed class ProgressReports : IAsyncDisposable
{
    // Half of the silence after which a dialer gives a broker up.
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    private readonly Leg _leg;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly PeriodicTimer _timer;
    private readonly Task _reporting;

    private ProgressReports(Leg leg, TimeSpan timeout, TimeProvider time)
    {
        _leg = leg;
        _timeout = timeout;
        _time = time;
        _timer = new PeriodicTimer(Period, time);
        _reporting = ReportAsync();
    }

    /// <summary>Null when the dialer has not asked for them.</summary>
    /// <param name="request">Of the dial.</param>
    /// <param name="leg">The dialer's; nobody else writes to it until the reports are disposed.</param>
    /// <param name="timeout">A dialer that stops reading for longer is cut off.</param>
    /// <param name="time">Drives the reports.</param>
    public static ProgressReports? Start(ConnectRequest request, Leg leg, TimeSpan timeout, TimeProvider time) =>
        request.AcceptsProgress ? new ProgressReports(leg, timeout, time) : null;

    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        try
        {
            await _reporting.WaitAsync(_timeout, _time);
        }
        catch (TimeoutException)
        {
            _leg.Abort();
            await _reporting;
        }
    }

    private async Task ReportAsync()
    {
        try
        {
            while (await _timer.WaitForNextTickAsync())
            {
                await _leg.WriteAsync(ConnectResponse.Progress);
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The dialer is gone, as the answer to it will find too.
        }
    }
}
