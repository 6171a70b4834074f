using System.Diagnostics;
using Whip.Bench.Cluster.Load;
using Whip.Harness.Cluster;

namespace Whip.Bench.Cluster.Scenarios;

/// <summary>A broker is killed or frozen, and others are started meanwhile, or twice.</summary>
internal static class BrokerTroubles
{
    private const double SuspectGoal = 5;
    private const double KilledSiloGoal = 5;
    private const double FrozenSiloGoal = 20;

    // What a broker that waits for a frozen silo may take: until that is declared dead, and its own start.
    private const double StartGoal = 25;
    private const double GiveWayGoal = 15;

    // From when its silo is declared dead.
    private const double MemberGoal = 35;

    // Any shorter trouble is over before a silent broker is no member any more.
    private static readonly TimeSpan MemberLength = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan AfterThaw = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan DatabaseAway = TimeSpan.FromSeconds(30);

    /// <summary>SIGKILL.</summary>
    public static async Task<IReadOnlyList<ScenarioFigure>> KillAsync(TroubledCluster troubled, CancellationToken cancellationToken)
    {
        var length = Task.Delay(troubled.Length, cancellationToken);
        var figures = await WatchAsync(troubled, troubled.Crash(isFrozen: false), KilledSiloGoal, cancellationToken);
        await length;
        return figures;
    }

    /// <summary>SIGSTOP, and SIGCONT: it comes back with what it believed, and must do no harm.</summary>
    public static async Task<IReadOnlyList<ScenarioFigure>> FreezeAsync(TroubledCluster troubled, CancellationToken cancellationToken)
    {
        var length = Task.Delay(troubled.Length, cancellationToken);
        var victim = troubled.Crash(isFrozen: true);
        var figures = await WatchAsync(troubled, victim, FrozenSiloGoal, cancellationToken);
        await length;
        victim.Thaw();
        await Task.Delay(AfterThaw, cancellationToken);
        return figures;
    }

    /// <summary>A frozen broker comes back when its silo was declared dead and the database, which would tell it, is away.</summary>
    public static async Task<IReadOnlyList<ScenarioFigure>> FreezeWithoutDatabaseAsync(TroubledCluster troubled, CancellationToken cancellationToken)
    {
        var victim = troubled.Crash(isFrozen: true);
        await SuspicionWatch.WhenNoSiloAsync(troubled.Cluster, victim, Stopwatch.GetTimestamp(), cancellationToken);
        await troubled.Cluster.Postgres.StopAsync();
        victim.Thaw();
        await Task.Delay(DatabaseAway, cancellationToken);
        await troubled.Cluster.Postgres.StartAsync();
        var back = Stopwatch.GetTimestamp();
        await victim.WhenReadyAsync(cancellationToken);
        return [new("ready-again", Stopwatch.GetElapsedTime(back).TotalSeconds, "s", StartGoal)];
    }

    /// <summary>Another process takes the id of a frozen broker, which has to give way when it is back.</summary>
    public static async Task<IReadOnlyList<ScenarioFigure>> TakeOverAsync(TroubledCluster troubled, CancellationToken cancellationToken)
    {
        var cluster = troubled.Cluster;
        var length = Task.Delay(troubled.Length, cancellationToken);
        var victim = troubled.Crash(isFrozen: true);
        var successor = cluster.CreateBroker(victim.Id);
        var ready = await StartAsync(successor, cancellationToken);
        cluster.Use(successor, insteadOf: victim);
        await length;
        victim.Thaw();
        troubled.Dials.MarkCrash();
        var thawed = Stopwatch.GetTimestamp();
        var exitCode = await victim.WhenEndedAsync(cancellationToken);
        var gone = Stopwatch.GetElapsedTime(thawed);
        await Task.Delay(AfterThaw, cancellationToken);
        return
        [
            ready,
            new("gives-way", gone.TotalSeconds, "s", GiveWayGoal),
            new("gives-way-not-with-1", exitCode == 1 ? 0 : 1, "", 0, ("exit-code", exitCode)),
        ];
    }

    /// <summary>A broker is started while another is frozen, whose silo does not answer.</summary>
    public static async Task<IReadOnlyList<ScenarioFigure>> StartWhileFrozenAsync(TroubledCluster troubled, CancellationToken cancellationToken)
    {
        var length = Task.Delay(troubled.Length, cancellationToken);
        var victim = troubled.Crash(isFrozen: true);
        var further = troubled.Cluster.CreateBroker("broker4");
        var ready = await StartAsync(further, cancellationToken);
        troubled.Cluster.Use(further);
        await length;
        victim.Thaw();
        await Task.Delay(AfterThaw, cancellationToken);
        return [ready];
    }

    /// <summary>Brokers are started that have the id, or the address of the silo, of one that runs; each has to end.</summary>
    public static async Task<IReadOnlyList<ScenarioFigure>> StartTwiceAsync(TroubledCluster troubled, CancellationToken cancellationToken)
    {
        var cluster = troubled.Cluster;
        var first = troubled.PickBroker();
        LocalBroker[] second = [cluster.CreateBroker(first.Id), cluster.CreateBroker("broker4", "--external-silo", $"{first.Silo}")];
        var figures = new List<ScenarioFigure>();
        foreach (var (broker, same) in second.Zip(["id", "silo-address"]))
        {
            broker.Launch();
            var started = Stopwatch.GetTimestamp();
            var exitCode = await broker.WhenEndedAsync(cancellationToken);
            figures.Add(new($"same-{same}-refused", Stopwatch.GetElapsedTime(started).TotalSeconds, "s", StartGoal));
            figures.Add(new($"same-{same}-not-with-2", exitCode == 2 ? 0 : 1, "", 0, ("exit-code", exitCode)));
        }

        await Task.Delay(AfterThaw, cancellationToken);
        return figures;
    }

    private static async Task<ScenarioFigure> StartAsync(LocalBroker broker, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        await broker.StartAsync(cancellationToken);
        return new ScenarioFigure("started", Stopwatch.GetElapsedTime(started).TotalSeconds, "s", StartGoal);
    }

    /// <summary>How long until every other broker knows what has become of one.</summary>
    private static async Task<IReadOnlyList<ScenarioFigure>> WatchAsync(
        TroubledCluster troubled, LocalBroker victim, double siloGoal, CancellationToken cancellationToken)
    {
        var crashed = Stopwatch.GetTimestamp();
        var suspect = await SuspicionWatch.WhenSuspectAsync(troubled.Cluster, victim, crashed, cancellationToken);
        return [Suspect(suspect), .. await WatchSiloAsync(troubled, victim, crashed, siloGoal, cancellationToken)];
    }

    public static ScenarioFigure Suspect(TimeSpan time) => new("suspect-everywhere", time.TotalSeconds, "s", SuspectGoal);

    /// <summary>The times from <paramref name="since"/> until a broker that is down has no silo for every other broker, and is no member any more.</summary>
    public static async Task<IReadOnlyList<ScenarioFigure>> WatchSiloAsync(
        TroubledCluster troubled, LocalBroker victim, long since, double siloGoal, CancellationToken cancellationToken)
    {
        var noSilo = await SuspicionWatch.WhenNoSiloAsync(troubled.Cluster, victim, since, cancellationToken);
        List<ScenarioFigure> figures = [new("silo-dead-everywhere", noSilo.TotalSeconds, "s", siloGoal)];
        if (troubled.Length >= MemberLength)
        {
            var gone = await SuspicionWatch.WhenGoneAsync(troubled.Cluster, victim, since, cancellationToken);
            figures.Add(new("gone-everywhere", gone.TotalSeconds, "s", siloGoal + MemberGoal));
        }

        return figures;
    }
}
