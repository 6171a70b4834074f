using System.Collections.Concurrent;
using System.Diagnostics;
using Whip.Harness.Checking;
using Whip.Harness.Cluster;
using Whip.Protocol.Connect;
using Whip.Protocol.Names;

namespace Whip.Bench.Cluster.Load;

/// <summary>Dials agents until each has been reached.</summary>
internal sealed class Reachability(LocalCluster cluster, int port)
{
    // A short one finds sooner that an agent is back; a busy machine may need a long one.
    private static readonly TimeSpan FirstDeadline = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastDeadline = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    /// <summary>The time from <paramref name="since"/> until the last one was reached, each at whichever running broker comes next.</summary>
    public async Task<TimeSpan> WhenAllAsync(IReadOnlyCollection<string> names, long since, int dialers, CancellationToken cancellationToken)
    {
        var missing = new ConcurrentQueue<(string Name, TimeSpan Deadline)>(names.Select(n => (n, FirstDeadline)));
        var left = names.Count;
        var reached = since;
        await Task.WhenAll(Enumerable.Range(0, dialers).Select(async turn =>
        {
            while (Volatile.Read(ref left) > 0)
            {
                if (!missing.TryDequeue(out var next))
                {
                    await Task.Delay(Pause, cancellationToken);
                }
                else if (await TryReachAsync(next.Name, turn++, next.Deadline, cancellationToken))
                {
                    Volatile.Write(ref reached, Stopwatch.GetTimestamp());
                    Interlocked.Decrement(ref left);
                }
                else
                {
                    missing.Enqueue((next.Name, next.Deadline < LastDeadline ? next.Deadline + FirstDeadline : LastDeadline));
                    await Task.Delay(Pause, cancellationToken);
                }
            }
        }));
        return Stopwatch.GetElapsedTime(since, reached);
    }

    private async Task<bool> TryReachAsync(string name, int turn, TimeSpan limit, CancellationToken cancellationToken)
    {
        var running = cluster.Brokers.Where(b => b.IsRunning).ToArray();
        var dialer = cluster.CreateDialer(running[turn % running.Length], new ConnectRequest(DialTarget.Of(name, port)));
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(limit);
        try
        {
            await using var leg = await dialer.AskAsync(deadline.Token);
            return true;
        }
        catch (DialFailedException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return false;
        }
    }
}
