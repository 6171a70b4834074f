using System.Collections.Concurrent;

namespace Whip.Bench.Load;

/// <summary>Dials agents until each has been reached.</summary>
internal sealed class Reachability(LocalCluster cluster, int port)
{
    private const int Dialers = 32;

    // A short timeout notices sooner that an agent is back; a busy machine may need a long one.
    private static readonly TimeSpan FirstTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    /// <summary>The time from <paramref name="since"/> until the last agent was reached, each at the running broker whose turn it is.</summary>
    public async Task<TimeSpan> WhenAllAsync(IReadOnlyCollection<string> names, long since, CancellationToken cancellationToken)
    {
        var missing = new ConcurrentQueue<(string Name, TimeSpan Timeout)>(names.Select(n => (n, FirstTimeout)));
        var left = names.Count;
        var reached = since;
        await Task.WhenAll(Enumerable.Range(0, Dialers).Select(async turn =>
        {
            while (Volatile.Read(ref left) > 0)
            {
                if (!missing.TryDequeue(out var next))
                {
                    await Task.Delay(Pause, cancellationToken);
                }
                else if (await TryReachAsync(next.Name, turn++, next.Timeout, cancellationToken))
                {
                    Volatile.Write(ref reached, Stopwatch.GetTimestamp());
                    Interlocked.Decrement(ref left);
                }
                else
                {
                    missing.Enqueue((next.Name, next.Timeout < LastTimeout ? next.Timeout + FirstTimeout : LastTimeout));
                    await Task.Delay(Pause, cancellationToken);
                }
            }
        }));
        return Stopwatch.GetElapsedTime(since, reached);
    }

    private async Task<bool> TryReachAsync(string name, int turn, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var running = cluster.Brokers.Where(b => b.IsRunning).ToArray();
        try
        {
            await using var leg = await cluster.CreateDialer(running[turn % running.Length], name, port).AskAsync(timeout, cancellationToken);
            return true;
        }
        catch (DialFailedException)
        {
            return false;
        }
    }
}
