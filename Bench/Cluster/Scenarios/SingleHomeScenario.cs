using System.Diagnostics;
using Whip.Bench.Cluster.Load;
using Whip.Harness.Cluster;

namespace Whip.Bench.Cluster.Scenarios;

/// <summary>The broker that is the only home of some agents is killed or frozen; how long until each is dialable again.</summary>
internal sealed class SingleHomeScenario(bool isFrozen) : IScenario
{
    private const int Agents = 100;
    private const int Dialers = 32;

    public async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        await using var cluster = await LocalCluster.StartAsync(context.Setup, cancellationToken);
        await using var agents = new LocalAgents(cluster, homes: 1);
        await agents.AddAsync(context.Agents ?? Agents, cancellationToken);
        var names = agents.Registered.Select(a => a.Name).ToArray();
        var reachability = new Reachability(cluster, agents.Service.Port);
        for (var warmUp = 0; warmUp < 10; warmUp++)
        {
            await reachability.WhenAllAsync(names, Stopwatch.GetTimestamp(), Dialers, cancellationToken);
        }

        var victim = cluster.Brokers[context.Random.Next(cluster.Brokers.Count)];
        var lost = agents.Registered.Count(a => a.AttachedTo.Contains(victim.Grpc));
        var started = Stopwatch.GetTimestamp();
        if (isFrozen)
        {
            victim.Freeze();
        }
        else
        {
            victim.Kill();
        }

        var again = await reachability.WhenAllAsync(names, started, Dialers, cancellationToken);
        return [new("all-dialable", again.TotalSeconds, "s", isFrozen ? 16 : 3, ("agents", names.Length), ("lost", lost))];
    }
}
