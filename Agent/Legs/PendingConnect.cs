namespace Whip.Agent.Legs;

/// <summary>A connect whose legs are being opened: ends by itself at its deadline, when the broker cancels it, or when the agent is cut.</summary>
internal sealed class PendingConnect : IDisposable
{
    private readonly CancellationTokenSource _deadline;
    private readonly CancellationTokenRegistration _onCut;
    private volatile bool _isForgotten;

    public PendingConnect(TimeSpan deadline, TimeProvider time, CancellationToken cut)
    {
        _deadline = new CancellationTokenSource(deadline, time);
        _onCut = cut.UnsafeRegister(static s => ((PendingConnect)s!).Forget(), this);
    }

    public CancellationToken Token => _deadline.Token;

    /// <summary>Nobody waits for an answer any more.</summary>
    public bool IsForgotten => _isForgotten;

    /// <summary>What waits for the token ends elsewhere: the caller may hold a lock.</summary>
    public void Forget()
    {
        _isForgotten = true;
        _ = _deadline.CancelAsync();
    }

    public void Dispose()
    {
        _onCut.Dispose();
        _deadline.Dispose();
    }
}
