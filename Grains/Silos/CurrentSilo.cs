namespace Whip.Grains.Silos;

/// <summary>The active silo that this broker has at the moment, if any, for those that call through it. Owner: the lock.</summary>
internal sealed class CurrentSilo
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Null: there is none now.</summary>
    public SiloCalls? Calls { get; private set; }

    /// <summary>Completes when this broker has another silo than at the time of the call, or none.</summary>
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
            _changed.TrySetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
