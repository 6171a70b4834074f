using Whip.Protocol.Legs;

namespace Whip.Broker.DialFront;

/// <summary>
/// Notices that a dialer went away while its dial is pending. It waits for the leg to become readable, which the relay can take
/// over, so that nothing need be cancelled when the dial succeeds.
/// </summary>
internal sealed class DialerWatch(Leg leg) : IDisposable
{
    // Early data of a client that does not wait for its 200: kept, and a sign that it is there.
    private const int MaxEarlyData = 4096;

    private readonly CancellationTokenSource _gone = new();
    private int _decided;
    private Task _watching = Task.CompletedTask;

    /// <summary>Cancelled when the dialer has ended or reset its side.</summary>
    public CancellationToken Gone => _gone.Token;

    public void Start() => _watching = WatchAsync();

    /// <summary>Ends the watch; afterwards the leg is the caller's again.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _decided, 1) != 0)
        {
            await _watching;
        }
    }

    public void Dispose() => _gone.Dispose();

    private async Task WatchAsync()
    {
        try
        {
            await leg.WaitReadableAsync();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // Reset: the read below says so again.
        }

        if (Interlocked.Exchange(ref _decided, 1) == 0 && !await KeepEarlyDataAsync())
        {
            await _gone.CancelAsync();
        }
    }

    /// <summary>False: there is no data, for the dialer is gone.</summary>
    private async Task<bool> KeepEarlyDataAsync()
    {
        try
        {
            var early = new byte[MaxEarlyData];
            var read = await leg.ReadAsync(early);
            leg.Unread(early.AsSpan(0, read));
            return read > 0;
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            return false;
        }
    }
}
