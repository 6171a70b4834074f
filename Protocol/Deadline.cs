namespace Whip.Protocol;

/// <summary>A token that is cancelled when its time has passed or a token of its caller's is, and what remains until then.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _linked;
    private long _started;

    /// <param name="limit">Zero or less has passed at once; <see cref="Timeout.InfiniteTimeSpan"/> never passes.</param>
    /// <param name="time">Measures it.</param>
    /// <param name="parent">The caller's.</param>
    /// <param name="other">Another of the caller's, such as the end of a connection that the wait is for.</param>
    public Deadline(TimeSpan limit, TimeProvider time, CancellationToken parent, CancellationToken other = default)
    {
        Limit = limit > TimeSpan.Zero || limit == Timeout.InfiniteTimeSpan ? limit : TimeSpan.Zero;
        Time = time;
        Parent = parent;
        _started = time.GetTimestamp();
        _timer = new CancellationTokenSource(Limit, time);
        _linked = CancellationTokenSource.CreateLinkedTokenSource(parent, other, _timer.Token);
    }

    public TimeSpan Limit { get; }

    public TimeProvider Time { get; }

    public CancellationToken Parent { get; }

    public CancellationToken Token => _linked.Token;

    /// <summary>Its own time has passed, whatever became of the caller's tokens.</summary>
    public bool HasPassed => _timer.IsCancellationRequested;

    public TimeSpan Remaining => Limit - Time.GetElapsedTime(_started);

    /// <summary>Gives the whole limit again, unless it has passed.</summary>
    public void Restart()
    {
        _started = Time.GetTimestamp();
        _timer.CancelAfter(Limit);
    }

    public void Dispose()
    {
        _linked.Dispose();
        _timer.Dispose();
    }
}
