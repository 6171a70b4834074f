namespace Whip.Client;

/// <summary>A token that ends after <see cref="Limit"/> or with its parent, and what remains until then.</summary>
internal sealed class DialClock : IDisposable
{
    private long _started;
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _either;

    public DialClock(TimeSpan limit, TimeProvider time, CancellationToken parent)
    {
        Limit = limit;
        Time = time;
        Parent = parent;
        _started = time.GetTimestamp();
        _timer = new CancellationTokenSource(limit, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(parent, _timer.Token);
    }

    public TimeSpan Limit { get; }

    public TimeProvider Time { get; }

    public CancellationToken Parent { get; }

    public CancellationToken Token => _either.Token;

    public TimeSpan Remaining => Limit - Time.GetElapsedTime(_started);

    /// <summary>Gives the whole limit again, unless it has run out.</summary>
    public void Restart()
    {
        _started = Time.GetTimestamp();
        _timer.CancelAfter(Limit);
    }

    public void Dispose()
    {
        _either.Dispose();
        _timer.Dispose();
    }
}
