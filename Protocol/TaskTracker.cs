namespace Whip.Protocol;

/// <summary>Owns tasks that outlive their caller: counts them, reports their failures, and waits for them.</summary>
internal sealed class TaskTracker(Action<Exception> onBug)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _empty;
    private int _count;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    /// <summary>Starts <paramref name="work"/> on the pool. It handles its expected failures itself, so any exception is a bug.</summary>
    public void Run(Func<Task> work)
    {
        lock (_lock)
        {
            _count++;
        }

        _ = Task.Run(async () =>
        {
            try
            {
                await work();
            }
            catch (Exception error)
            {
                onBug(error);
            }
            finally
            {
                Finish();
            }
        });
    }

    /// <summary>The same for work that runs until <paramref name="stopping"/> is cancelled.</summary>
    public void Run(Func<CancellationToken, Task> work, CancellationToken stopping) => Run(async () =>
    {
        try
        {
            await work(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    });

    /// <summary>Completes when no task is running.</summary>
    public Task WhenEmpty()
    {
        lock (_lock)
        {
            return _count == 0 ? Task.CompletedTask : (_empty ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    private void Finish()
    {
        lock (_lock)
        {
            if (--_count == 0)
            {
                _empty?.SetResult();
                _empty = null;
            }
        }
    }
}
