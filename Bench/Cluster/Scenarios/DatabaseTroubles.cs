using System.Diagnostics;
using Whip.Bench.Cluster.Load;
using Whip.Harness;
using Whip.Harness.Cluster;

namespace Whip.Bench.Cluster.Scenarios;

/// <summary>PostgreSQL is away, or emptied, while agents register; then how long until every broker is in the table again.</summary>
internal static class DatabaseTroubles
{
    private const int Groups = 4;

    // From the return of the database: it is connected to again, and three probes of the dead silo have failed.
    private const double SiloGoal = 10;

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

    /// <summary>PostgreSQL is stopped, then a broker is killed: its silo cannot be declared dead before the database is back.</summary>
    public static async Task<IReadOnlyList<ScenarioFigure>> StopAndKillBrokerAsync(TroubledCluster troubled, CancellationToken cancellationToken)
    {
        await troubled.Cluster.Postgres.StopAsync();
        var victim = troubled.Crash(isFrozen: false);
        var crashed = Stopwatch.GetTimestamp();
        var registering = RegisterAsync(troubled, cancellationToken);
        var suspect = await SuspicionWatch.WhenSuspectAsync(troubled.Cluster, victim, crashed, cancellationToken);
        await registering;
        var away = Stopwatch.GetElapsedTime(crashed);
        await troubled.Cluster.Postgres.StartAsync();
        var back = Stopwatch.GetTimestamp();
        return
        [
            BrokerTroubles.Suspect(suspect),
            await WhenWholeAsync(troubled.Cluster, back, away, cancellationToken),
            .. await BrokerTroubles.WatchSiloAsync(troubled, victim, back, SiloGoal, cancellationToken),
        ];
    }

    private static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(
        TroubledCluster troubled, Func<LocalCluster, Task> begin, Func<LocalCluster, Task> end, CancellationToken cancellationToken)
    {
        await begin(troubled.Cluster);
        var began = Stopwatch.GetTimestamp();
        await RegisterAsync(troubled, cancellationToken);
        var away = Stopwatch.GetElapsedTime(began);
        var ended = Stopwatch.GetTimestamp();
        await end(troubled.Cluster);
        return [await WhenWholeAsync(troubled.Cluster, ended, away, cancellationToken)];
    }

    /// <summary>Adds groups of agents, each a twentieth of those that are there, until the trouble has lasted for its length.</summary>
    private static async Task RegisterAsync(TroubledCluster troubled, CancellationToken cancellationToken)
    {
        for (var group = 0; group < Groups; group++)
        {
            await Task.Delay(troubled.Length / Groups, cancellationToken);
            await troubled.Agents.AddAsync(Math.Max(1, troubled.Agents.Registered.Count / 20), cancellationToken);
        }
    }

    /// <summary>The time from <paramref name="since"/> until the silos of the running brokers are active in the table, and no others.</summary>
    private static async Task<ScenarioFigure> WhenWholeAsync(LocalCluster cluster, long since, TimeSpan away, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(WholeTimeout);
        while (await CountActiveAsync(cluster) != cluster.Brokers.Count(b => b.IsRunning))
        {
            await Task.Delay(50, deadline.Token);
        }

        return new("table-whole", Stopwatch.GetElapsedTime(since).TotalSeconds, "s", null, ("away", away.TotalSeconds));
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
