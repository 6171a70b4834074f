namespace Whip.Grains.Silo;

/// <summary>The silo that this broker is at the moment, if any, for those that call through it. Owner: the lock.</summary>
internal sealed class CurrentSilo
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Null: there is none now.</summary>
    public SiloCalls? Calls { get; private set; }

    /// <summary>Completes when the silos of the cluster are others than at the time of the call, this broker's among them.</summary>
    public Task WaitForChangeAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return _changed.Task.WaitAsync(cancellationToken);
        }
    }

    public void Replace(SiloCalls? calls)
    {
        lock (_lock)
        {
            Calls = calls;
            Changed();
        }
    }

    /// <summary>Other silos came or went.</summary>
    public void Changed()
    {
        lock (_lock)
        {
            _changed.TrySetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
