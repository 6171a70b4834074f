namespace Whip.Broker.DialFront;

/// <summary>
/// Notices that a dialer goes away while its dial is pending. It waits for the leg to become readable, which needs no cancellation when the dial
/// succeeds: the relay waits for the same.
/// </summary>
/// <param name="leg">The dialer's.</param>
/// <param name="mayTalk">It may send data before its 200. Else a byte is as bad as its end.</param>
internal sealed class DialerWatch(Leg leg, bool mayTalk = true) : IAsyncDisposable
{
    // Of data that a client sends before its 200, which is kept.
    private const int MaxEarlyData = 4096;

    private readonly CancellationTokenSource _gone = new();
    private int _decided;
    private bool _isStopped;
    private Task _watching = Task.CompletedTask;

    /// <summary>Cancelled when the dialer has ended or reset its side, or said what it may not.</summary>
    public CancellationToken Gone => _gone.Token;

    public void Start() => _watching = WatchAsync();

    /// <summary>Ends the watch; afterwards the leg is the caller's again.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _decided, 1) != 0)
        {
            await _watching;
        }

        _isStopped = true;
    }

    /// <summary>If it was not stopped, the dial was cancelled: the leg is aborted, which ends the watch.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_isStopped)
        {
            leg.Abort();
            await _watching;
        }

        _gone.Dispose();
    }

    private async Task WatchAsync()
    {
        try
        {
            await leg.WaitReadableAsync();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // Reset, as the read below will find.
        }

        if (Interlocked.Exchange(ref _decided, 1) == 0 && !(mayTalk && await KeepEarlyDataAsync()))
        {
            await _gone.CancelAsync();
        }
    }

    /// <returns>False if there is no data, because the dialer has gone.</returns>
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
