using System.Diagnostics;
using Whip.Bench.Cluster.Load;
using Whip.Harness.Cluster;

namespace Whip.Bench.Cluster.Scenarios;

/// <summary>Brings all brokers of a cluster down, or has never started them, and then starts all at once: how long until every agent is dialable.</summary>
internal sealed class ColdStartScenario(Func<LocalCluster, CancellationToken, Task> start) : IScenario
{
    private const int Agents = 100;
    private const int Dialers = 32;
    private const double DialableGoal = 10;

    private static readonly TimeSpan DatabaseAway = TimeSpan.FromSeconds(15);

    public async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        await using var cluster = await LocalCluster.StartAsync(context.Setup, cancellationToken);
        await using var agents = new LocalAgents(cluster, homes: 2);
        await agents.AddAsync(context.Agents ?? Agents, cancellationToken);
        foreach (var broker in cluster.Brokers)
        {
            broker.Kill();
        }

        await start(cluster, cancellationToken);
        var started = Stopwatch.GetTimestamp();
        string[] names = [.. agents.Registered.Select(a => a.Name)];
        var dialable = await new Reachability(cluster, agents.Service.Port).WhenAllAsync(names, started, Dialers, cancellationToken);
        await Task.WhenAll(cluster.Brokers.Select(broker => broker.WhenReadyAsync(cancellationToken)));
        return
        [
            new("all-dialable", dialable.TotalSeconds, "s", DialableGoal, ("agents", names.Length)),
            await ScenarioFigure.FurtherSilosAsync(cluster, expected: 0),
        ];
    }

    /// <summary>At the addresses they had.</summary>
    public static Task StartSameAsync(LocalCluster cluster, CancellationToken cancellationToken)
    {
        foreach (var broker in cluster.Brokers)
        {
            broker.Launch();
        }

        return Task.CompletedTask;
    }

    /// <summary>With other addresses of their silos.</summary>
    public static Task StartElsewhereAsync(LocalCluster cluster, CancellationToken cancellationToken)
    {
        foreach (var broker in cluster.Brokers)
        {
            broker.MoveSilo();
        }

        return StartSameAsync(cluster, cancellationToken);
    }

    /// <summary>Before PostgreSQL, which is back after they have waited for it.</summary>
    public static async Task StartBeforeDatabaseAsync(LocalCluster cluster, CancellationToken cancellationToken)
    {
        await cluster.Postgres.StopAsync();
        await StartSameAsync(cluster, cancellationToken);
        await Task.Delay(DatabaseAway, cancellationToken);
        await cluster.Postgres.StartAsync();
    }
}
