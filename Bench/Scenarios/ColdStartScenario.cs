namespace Whip.Bench.Scenarios;

/// <summary>All brokers are killed and then started at once: how long until every agent is dialable.</summary>
internal static class ColdStartScenario
{
    private const double DialableGoal = 10;

    private static readonly TimeSpan DatabaseAway = TimeSpan.FromSeconds(15);

    /// <param name="context">Of this run.</param>
    /// <param name="isMoved">The silos have other addresses afterwards.</param>
    /// <param name="isBeforeDatabase">PostgreSQL is away when the brokers start, and returns after they have waited for it.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    public static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(
        ScenarioContext context, bool isMoved, bool isBeforeDatabase, CancellationToken cancellationToken)
    {
        await using var cluster = await ScenarioCluster.StartAsync(context, homes: 2, cancellationToken);
        foreach (var broker in cluster.Brokers)
        {
            broker.Crash(isFrozen: false);
            if (isMoved)
            {
                broker.MoveSilo();
            }
        }

        await (isBeforeDatabase ? cluster.Cluster.Postgres.StopAsync() : Task.CompletedTask);
        cluster.Brokers.ToList().ForEach(broker => broker.Launch());
        if (isBeforeDatabase)
        {
            await Task.Delay(DatabaseAway, cancellationToken);
            await cluster.Cluster.Postgres.StartAsync();
        }

        var started = Stopwatch.GetTimestamp();
        var dialable = await cluster.WhenDialableAsync(cluster.Agents.Names, started, cancellationToken);
        await Task.WhenAll(cluster.Brokers.Select(broker => broker.WhenReadyAsync(cancellationToken)));
        return
        [
            new("all-dialable", dialable.TotalSeconds, "s", DialableGoal, ("agents", cluster.Agents.Registered.Count)),
            await cluster.FurtherSilosAsync(expected: 0),
        ];
    }
}
