using System.Globalization;
using Whip.Bench.Measuring;

namespace Whip.Bench.Scenarios;

/// <summary>Thousands of agents register at once, then a broker dies: how long until all are dialable, and what an agent costs brokers and database.</summary>
internal static class StormScenario
{
    private const int Agents = 1000;

    // Registered before the first reading, so that the slope excludes what a broker allocates once.
    private const int FirstAgents = 200;

    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(5);

    // Long enough for a backend of PostgreSQL to report the statistics of its transactions.
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10);

    public static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        var count = context.Agents ?? Agents;
        var measured = context with { Setup = context.Setup with { Environment = MemoryMeasurement.Environment } };
        await using var cluster = await ScenarioCluster.StartAsync(measured, homes: 2, cancellationToken, Math.Min(FirstAgents, count));
        await Task.Delay(Settle, cancellationToken);
        var memory = ResidentKib(cluster);

        var idle = await CountStatementsAsync(cluster, () => Task.Delay(Idle, cancellationToken));
        var started = Stopwatch.GetTimestamp();
        TimeSpan registered = default;
        var statements = await CountStatementsAsync(cluster, async () =>
        {
            await cluster.Agents.AddAsync(count, cancellationToken);
            registered = Stopwatch.GetElapsedTime(started);
            await Task.Delay(Settle, cancellationToken);
        });
        var extra = statements.Count - (idle.Count * statements.Seconds / idle.Seconds);
        var slope = (ResidentKib(cluster) - memory) / (double)count;

        var killed = Stopwatch.GetTimestamp();
        cluster.Crash(isFrozen: false);
        string[] names = [.. cluster.Agents.Names];
        context.Random.Shuffle(names);
        var again = await cluster.WhenDialableAsync(names, killed, cancellationToken);
        (string, object)[] counts = [("statements", statements.Count), ("idle", idle.Count / idle.Seconds)];
        return
        [
            new("all-registered", registered.TotalSeconds, "s", null, ("agents", count), ("homes", 2)),
            new("broker-memory", slope, "KiB/agent", null, ("brokers", cluster.Brokers.Count)),
            new("database-statements", Math.Max(0, extra) * 1000 / count, "1/1000 registrations", null, counts),
            new("all-dialable", again.TotalSeconds, "s", null, ("agents", names.Length)),
            await cluster.FurtherSilosAsync(expected: 0),
        ];
    }

    private static long ResidentKib(ScenarioCluster cluster) => cluster.Brokers.Sum(broker => LinuxProcess.ResidentKib(broker.Program.Id));

    private static async Task<(double Count, double Seconds)> CountStatementsAsync(ScenarioCluster cluster, Func<Task> work)
    {
        var before = await CountAsync();
        var started = Stopwatch.GetTimestamp();
        await work();
        return (await CountAsync() - before, Stopwatch.GetElapsedTime(started).TotalSeconds);

        async Task<double> CountAsync()
        {
            const string Count = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";
            return Convert.ToDouble(await PostgresServer.ScalarAsync(cluster.Cluster.ConnectionString, Count), CultureInfo.InvariantCulture);
        }
    }
}
