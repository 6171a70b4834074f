using Whip.Protocol.Connect;
using Whip.Protocol.Legs;

namespace Whip.Broker.DialFront;

/// <summary>The 102s of one pending dial. The first leaves after half a second, which most dials do not take; once disposed nothing of them is on its way, and the leg is free for the answer.</summary>
internal sealed class ProgressReports : IAsyncDisposable
{
    // Half of what a dialer takes for silence.
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    private readonly Leg _leg;
    private readonly TimeSpan _patience;
    private readonly TimeProvider _time;
    private readonly PeriodicTimer _timer;
    private readonly Task _reporting;

    private ProgressReports(Leg leg, TimeSpan patience, TimeProvider time)
    {
        _leg = leg;
        _patience = patience;
        _time = time;
        _timer = new PeriodicTimer(Period, time);
        _reporting = ReportAsync();
    }

    /// <summary>Null when the dialer has not asked for them.</summary>
    /// <param name="request">Of the dial.</param>
    /// <param name="leg">The dialer's; nobody else writes to it until the reports are disposed.</param>
    /// <param name="patience">A dialer that stops reading for longer is cut off.</param>
    /// <param name="time">Drives the reports.</param>
    public static ProgressReports? Start(ConnectRequest request, Leg leg, TimeSpan patience, TimeProvider time) =>
        request.AcceptsProgress ? new ProgressReports(leg, patience, time) : null;

    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        try
        {
            await _reporting.WaitAsync(_patience, _time);
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
