using Microsoft.Extensions.Logging;

using Whip.Protocol;
namespace Whip.Agent.Legs;

/// <summary>Owns the connects and relays of an agent: they outlive the stream that asked for them, but not the agent.</summary>
internal sealed class OpenWork(ILogger log, TimeProvider time) : IDisposable
{
    private readonly TaskTracker _tasks = new(e => LegLog.ConnectFaulted(log, e));
    private readonly CancellationTokenSource _cut = new();
    private readonly Lock _lock = new();
    private TaskCompletionSource? _nonePending;
    private int _pending;
    private int _relays;

    /// <summary>Connects that are being opened.</summary>
    public int Pending => Volatile.Read(ref _pending);

    /// <summary>Relays that run.</summary>
    public int Relays => Volatile.Read(ref _relays);

    /// <summary>Cancelled when what still runs is reset.</summary>
    public CancellationToken Cut => _cut.Token;

    public void Start(Func<Task> work) => _tasks.Run(work);

    public void CountPending(int change)
    {
        lock (_lock)
        {
            _pending += change;
            if (_pending == 0)
            {
                _nonePending?.SetResult();
                _nonePending = null;
            }
        }
    }

    /// <summary>Completes when no connect is being opened. Each has a deadline.</summary>
    public Task WhenNonePending()
    {
        lock (_lock)
        {
            return _pending == 0 ? Task.CompletedTask : (_nonePending ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    public void CountRelays(int change) => Interlocked.Add(ref _relays, change);

    /// <summary>
    /// Waits until nothing runs; past <paramref name="timeout"/>, or once <paramref name="hurry"/> is cancelled, resets what does.
    /// Returns whether it had to.
    /// </summary>
    public async Task<bool> DrainAsync(TimeSpan timeout, CancellationToken hurry)
    {
        var empty = _tasks.WhenEmpty();
        try
        {
            await empty.WaitAsync(timeout, time, hurry);
            return false;
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            await _cut.CancelAsync();
            await empty;
            return true;
        }
    }

    public void Dispose() => _cut.Dispose();
}
