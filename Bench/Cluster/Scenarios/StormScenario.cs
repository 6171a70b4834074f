using System.Diagnostics;
using System.Globalization;
using Whip.Bench.Cluster.Load;
using Whip.Bench.Measuring;
using Whip.Harness;
using Whip.Harness.Cluster;
using Whip.Harness.Programs;

namespace Whip.Bench.Cluster.Scenarios;

/// <summary>Thousands of agents register at once, then one broker dies: how long until all are dialable, and what an agent costs brokers and database.</summary>
internal sealed class StormScenario : IScenario
{
    private const int Agents = 1000;
    private const int Dialers = 32;

    // Before the first reading, so that the slope has no part of what a broker makes once.
    private const int FirstAgents = 200;

    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(5);

    // Long enough for a backend to tell the statistics of its transactions.
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10);

    public async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        var count = context.Agents ?? Agents;
        var first = Math.Min(FirstAgents, count);
        await using var cluster = await LocalCluster.StartAsync(context.Setup with { Environment = MemoryMeasurement.Environment }, cancellationToken);
        await using var agents = new LocalAgents(cluster, homes: 2);
        await agents.AddAsync(first, cancellationToken);
        await Task.Delay(Settle, cancellationToken);
        var memory = ResidentKib(cluster);

        var idle = await CountStatementsAsync(cluster, () => Task.Delay(Idle, cancellationToken));
        var started = Stopwatch.GetTimestamp();
        TimeSpan registered = default;
        var statements = await CountStatementsAsync(cluster, async () =>
        {
            await agents.AddAsync(count, cancellationToken);
            registered = Stopwatch.GetElapsedTime(started);
            await Task.Delay(Settle, cancellationToken);
        });
        var extra = statements.Count - (idle.Count * statements.Seconds / idle.Seconds);
        var slope = (ResidentKib(cluster) - memory) / (double)count;

        var victim = cluster.Brokers[context.Random.Next(cluster.Brokers.Count)];
        var killed = Stopwatch.GetTimestamp();
        victim.Kill();
        string[] names = [.. agents.Registered.Select(a => a.Name)];
        context.Random.Shuffle(names);
        var again = await new Reachability(cluster, agents.Service.Port).WhenAllAsync(names, killed, Dialers, cancellationToken);
        return
        [
            new("all-registered", registered.TotalSeconds, "s", null, ("agents", count), ("homes", 2)),
            new("broker-memory", slope, "KiB/agent", null, ("brokers", cluster.Brokers.Count)),
            new("database-statements", Math.Max(0, extra) * 1000 / count, "1/1000 registrations", null, ("statements", statements.Count), ("idle", idle.Count / idle.Seconds)),
            new("all-dialable", again.TotalSeconds, "s", null, ("agents", names.Length)),
            await ScenarioFigure.FurtherSilosAsync(cluster, expected: 0),
        ];
    }

    private static long ResidentKib(LocalCluster cluster) => cluster.Brokers.Sum(b => LinuxProcess.ResidentKib(b.Program.Id));

    /// <summary>Transactions that ended meanwhile, this count's own two left out.</summary>
    private static async Task<(double Count, double Seconds)> CountStatementsAsync(LocalCluster cluster, Func<Task> work)
    {
        const string Count = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";
        var before = Convert.ToDouble(await PostgresServer.ScalarAsync(cluster.ConnectionString, Count), CultureInfo.InvariantCulture);
        var started = Stopwatch.GetTimestamp();
        await work();
        var after = Convert.ToDouble(await PostgresServer.ScalarAsync(cluster.ConnectionString, Count), CultureInfo.InvariantCulture);
        return (after - before, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }
}
