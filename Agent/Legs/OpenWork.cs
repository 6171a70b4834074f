using Microsoft.Extensions.Logging;
using Whip.Hosting.Listening;

namespace Whip.Agent.Legs;

/// <summary>Owns the connects and relays of an agent: they outlive the stream that asked for them, but not the agent.</summary>
internal sealed class OpenWork(ILogger log, TimeProvider time) : IDisposable
{
    private readonly TaskTracker _tasks = new(e => AgentLog.ConnectFaulted(log, e));
    private readonly CancellationTokenSource _cut = new();

    public Tally Pending { get; } = new();

    public Tally Relays { get; } = new();

    /// <summary>Cancelled when what still runs is reset.</summary>
    public CancellationToken Cut => _cut.Token;

    public void Start(Func<Task> work) => _tasks.Run(work);

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
