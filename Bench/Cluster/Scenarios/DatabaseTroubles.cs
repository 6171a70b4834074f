using System.Diagnostics;
using Whip.Harness;
using Whip.Harness.Cluster;

namespace Whip.Bench.Cluster.Scenarios;

/// <summary>PostgreSQL is away, or emptied, while agents register; then how long until every broker is in the table again.</summary>
internal static class DatabaseTroubles
{
    private const int Groups = 4;

    private static readonly TimeSpan WholeTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Stopped as an administrator does.</summary>
    public static Task<IReadOnlyList<ScenarioFigure>> StopAsync(TroubledCluster troubled, CancellationToken cancellationToken) =>
        RunAsync(troubled, cluster => cluster.Postgres.StopAsync(), cluster => cluster.Postgres.StartAsync(), cancellationToken);

    /// <summary>SIGKILL to all of it.</summary>
    public static Task<IReadOnlyList<ScenarioFigure>> KillAsync(TroubledCluster troubled, CancellationToken cancellationToken) =>
        RunAsync(troubled, cluster => cluster.Postgres.KillAsync(), cluster => cluster.Postgres.StartAsync(), cancellationToken);

    /// <summary>The rows of the silos are removed.</summary>
    public static Task<IReadOnlyList<ScenarioFigure>> EmptyAsync(TroubledCluster troubled, CancellationToken cancellationToken) => RunAsync(
        troubled,
        cluster => PostgresServer.ExecuteAsync(cluster.ConnectionString, "DELETE FROM whip_orleans.silo; DELETE FROM whip_orleans.view"),
        _ => Task.CompletedTask,
        cancellationToken);

    /// <summary>Everything of the brokers is dropped.</summary>
    public static Task<IReadOnlyList<ScenarioFigure>> DropAsync(TroubledCluster troubled, CancellationToken cancellationToken) => RunAsync(
        troubled,
        cluster => PostgresServer.ExecuteAsync(cluster.ConnectionString, "DROP SCHEMA whip_orleans CASCADE"),
        _ => Task.CompletedTask,
        cancellationToken);

    private static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(
        TroubledCluster troubled, Func<LocalCluster, Task> begin, Func<LocalCluster, Task> end, CancellationToken cancellationToken)
    {
        await begin(troubled.Cluster);
        var began = Stopwatch.GetTimestamp();
        for (var group = 0; group < Groups; group++)
        {
            await Task.Delay(troubled.Length / Groups, cancellationToken);
            await troubled.Agents.AddAsync(Math.Max(1, troubled.Agents.Registered.Count / 20), cancellationToken);
        }

        var away = Stopwatch.GetElapsedTime(began);
        var ended = Stopwatch.GetTimestamp();
        await end(troubled.Cluster);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(WholeTimeout);
        while (await CountActiveAsync(troubled.Cluster) < troubled.Cluster.Brokers.Count)
        {
            await Task.Delay(50, deadline.Token);
        }

        return [new("table-whole", Stopwatch.GetElapsedTime(ended).TotalSeconds, "s", null, ("away", away.TotalSeconds))];
    }

    private static async Task<long> CountActiveAsync(LocalCluster cluster)
    {
        const string Active = "SELECT count(*) FROM whip_orleans.silo WHERE status = 3";
        try
        {
            return (long)(await PostgresServer.ScalarAsync(cluster.ConnectionString, Active))!;
        }
        catch (Npgsql.PostgresException)
        {
            // The table is not there yet.
            return 0;
        }
    }
}
