namespace Whip.Bench.Scenarios;

/// <summary>PostgreSQL is away, or loses its content, while agents register; then how long until the silo of every broker is in the table again.</summary>
internal static class DatabaseTroubles
{
    private const int Groups = 4;

    private static readonly TimeSpan WholeTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan WholeInterval = TimeSpan.FromMilliseconds(50);

    public static Task<IReadOnlyList<ScenarioFigure>> StopAsync(ScenarioCluster cluster, CancellationToken cancellationToken) =>
        RunAsync(cluster, postgres => postgres.StopAsync(), postgres => postgres.StartAsync(), cancellationToken);

    public static Task<IReadOnlyList<ScenarioFigure>> KillAsync(ScenarioCluster cluster, CancellationToken cancellationToken) =>
        RunAsync(cluster, postgres => postgres.KillAsync(), postgres => postgres.StartAsync(), cancellationToken);

    public static Task<IReadOnlyList<ScenarioFigure>> EmptyAsync(ScenarioCluster cluster, CancellationToken cancellationToken) =>
        ExecuteAsync(cluster, "DELETE FROM whip_orleans.silo; DELETE FROM whip_orleans.view", cancellationToken);

    public static Task<IReadOnlyList<ScenarioFigure>> DropAsync(ScenarioCluster cluster, CancellationToken cancellationToken) =>
        ExecuteAsync(cluster, "DROP SCHEMA whip_orleans CASCADE", cancellationToken);

    /// <summary>Adds agents in groups until the trouble has lasted for its length.</summary>
    public static async Task RegisterAsync(ScenarioCluster cluster, CancellationToken cancellationToken)
    {
        for (var group = 0; group < Groups; group++)
        {
            await Task.Delay(cluster.Length / Groups, cancellationToken);
            await cluster.Agents.AddAsync(Math.Max(1, cluster.Agents.Registered.Count / 20), cancellationToken);
        }
    }

    /// <summary>How long until the silos of the running brokers are active in the table, and no others.</summary>
    public static async Task<ScenarioFigure> WhenWholeAsync(LocalCluster cluster, long since, TimeSpan away, CancellationToken cancellationToken)
    {
        return await Polling.UntilAsync(IsWholeAsync, WholeTimeout, WholeInterval, cancellationToken)
            ? new("table-whole", Stopwatch.GetElapsedTime(since).TotalSeconds, "s", null, ("away", away.TotalSeconds))
            : throw new PartFailedException("the table of silos", $"not whole within {WholeTimeout.TotalSeconds} s", []);

        async Task<bool> IsWholeAsync() => await CountActiveAsync(cluster) == cluster.Brokers.Count(broker => broker.IsRunning);
    }

    private static Task<IReadOnlyList<ScenarioFigure>> ExecuteAsync(ScenarioCluster cluster, string sql, CancellationToken cancellationToken) =>
        RunAsync(cluster, _ => PostgresServer.ExecuteAsync(cluster.Cluster.ConnectionString, sql), _ => Task.CompletedTask, cancellationToken);

    private static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(
        ScenarioCluster cluster, Func<PostgresServer, Task> begin, Func<PostgresServer, Task> end, CancellationToken cancellationToken)
    {
        await begin(cluster.Cluster.Postgres);
        var began = Stopwatch.GetTimestamp();
        await RegisterAsync(cluster, cancellationToken);
        var (away, ended) = (Stopwatch.GetElapsedTime(began), Stopwatch.GetTimestamp());
        await end(cluster.Cluster.Postgres);
        return [await WhenWholeAsync(cluster.Cluster, ended, away, cancellationToken)];
    }

    private static async Task<long> CountActiveAsync(LocalCluster cluster)
    {
        try
        {
            return (long)(await PostgresServer.ScalarAsync(cluster.ConnectionString, "SELECT count(*) FROM whip_orleans.silo WHERE status = 3"))!;
        }
        catch (Npgsql.PostgresException)
        {
            // The table does not exist yet.
            return 0;
        }
    }
}
