namespace Whip.Bench.Scenarios;

/// <summary>The broker that is the only home of some agents is killed or frozen: how long until each is dialable again.</summary>
internal static class SingleHomeScenario
{
    private const int WarmUps = 10;

    public static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, bool isFrozen, CancellationToken cancellationToken)
    {
        await using var cluster = await ScenarioCluster.StartAsync(context, homes: 1, cancellationToken);
        var names = cluster.Agents.Names;
        for (var warmUp = 0; warmUp < WarmUps; warmUp++)
        {
            await cluster.WhenDialableAsync(names, Stopwatch.GetTimestamp(), cancellationToken);
        }

        var homes = cluster.Agents.Registered.Select(agent => agent.AttachedTo).ToArray();
        var started = Stopwatch.GetTimestamp();
        var victim = cluster.Crash(isFrozen);
        var again = await cluster.WhenDialableAsync(names, started, cancellationToken);
        var lost = homes.Count(home => home.Contains(victim.Grpc));
        return [new("all-dialable", again.TotalSeconds, "s", isFrozen ? 16 : 3, ("agents", names.Count), ("lost", lost))];
    }
}
