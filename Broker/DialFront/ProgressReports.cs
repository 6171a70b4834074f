using Whip.Protocol.Connect;
using Whip.Protocol.Kept;

namespace Whip.Broker.DialFront;

/// <summary>
/// The 102 responses of one pending dial, one each half second, and sooner on a connection that is used again. Only they are written to the leg until
/// this is disposed, and none after it. A dialer that does not read them within the timeout is cut off.
/// </summary>
internal sealed class ProgressReports : IAsyncDisposable
{
    // A dialer gives a broker up after twice as long without a byte.
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    private readonly Leg _leg;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly PeriodicTimer _timer;
    private readonly Task _reporting;

    private ProgressReports(Leg leg, bool isReused, TimeSpan timeout, TimeProvider time)
    {
        _leg = leg;
        _timeout = timeout;
        _time = time;
        _timer = new PeriodicTimer(isReused ? KeptLimits.FirstReport : Period, time);
        _reporting = ReportAsync(isReused ? KeptLimits.NextReport : Period);
    }

    /// <returns>Null when the dialer has not asked for them.</returns>
    public static ProgressReports? Start(ConnectRequest request, Leg leg, TimeSpan timeout, TimeProvider time, bool isReused = false) =>
        request.AcceptsProgress ? new ProgressReports(leg, isReused, timeout, time) : null;

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

    private async Task ReportAsync(TimeSpan period)
    {
        try
        {
            while (await _timer.WaitForNextTickAsync())
            {
                if (_timer.Period != period)
                {
                    _timer.Period = period;
                }

                await _leg.WriteAsync(ConnectResponse.Progress);
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The dialer has gone, which the answer will find as well.
        }
    }
}
