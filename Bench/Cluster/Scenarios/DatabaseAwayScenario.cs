using System.Diagnostics;
using Whip.Harness;
using Whip.Harness.Cluster;

namespace Whip.Bench.Cluster.Scenarios;

/// <summary>What happens to the database.</summary>
internal enum DatabaseTrouble
{
    /// <summary>Stopped as an administrator does.</summary>
    Stop,

    /// <summary>SIGKILL to all of it.</summary>
    Kill,

    /// <summary>The schema of the brokers is dropped.</summary>
    Empty,
}

/// <summary>PostgreSQL is away, or emptied, while agents register and all of them are dialled; then how long until every broker is in the member list again.</summary>
internal sealed class DatabaseAwayScenario(DatabaseTrouble trouble) : IScenario
{
    private const int Agents = 100;
    private const int Groups = 4;

    private static readonly TimeSpan WholePatience = TimeSpan.FromSeconds(60);

    public async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        var agents = context.Agents ?? Agents;
        await using var troubled = await TroubledCluster.StartAsync(context, agents, homes: 2, cancellationToken);
        await BeginAsync(troubled.Cluster);
        for (var group = 0; group < Groups; group++)
        {
            await Task.Delay(context.Length / Groups, cancellationToken);
            await troubled.Agents.AddAsync(Math.Max(1, agents / 20), cancellationToken);
        }

        var ended = Stopwatch.GetTimestamp();
        await EndAsync(troubled.Cluster);
        var whole = await WhenWholeAsync(troubled.Cluster, ended, cancellationToken);
        return
        [
            .. await troubled.ReportAsync(slowest: null),
            new("member-list-whole", whole.TotalSeconds, "s", null, ("away", context.Length.TotalSeconds)),
        ];
    }

    private async Task BeginAsync(LocalCluster cluster) => await (trouble switch
    {
        DatabaseTrouble.Stop => cluster.Postgres.StopAsync(),
        DatabaseTrouble.Kill => cluster.Postgres.KillAsync(),
        _ => PostgresServer.ScalarAsync(cluster.ConnectionString, "DROP SCHEMA whip, whip_orleans CASCADE"),
    });

    private Task EndAsync(LocalCluster cluster) => trouble == DatabaseTrouble.Empty ? Task.CompletedTask : cluster.Postgres.StartAsync();

    /// <summary>Every broker has renewed its lease since.</summary>
    private static async Task<TimeSpan> WhenWholeAsync(LocalCluster cluster, long since, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(WholePatience);
        var server = await ScalarAsync("SELECT clock_timestamp()::text");
        while (await ScalarAsync($"SELECT count(*) FROM whip.broker WHERE lease > '{server}'") is not long count || count < cluster.Brokers.Count)
        {
            await Task.Delay(50, patience.Token);
        }

        return Stopwatch.GetElapsedTime(since);

        async Task<object?> ScalarAsync(string sql)
        {
            try
            {
                return await PostgresServer.ScalarAsync(cluster.ConnectionString, sql);
            }
            catch (Npgsql.PostgresException)
            {
                // The table is not there yet.
                return null;
            }
        }
    }
}
