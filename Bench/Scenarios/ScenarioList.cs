namespace Whip.Bench.Scenarios;

internal static class ScenarioList
{
    private static readonly TimeSpan BeforeTrouble = TimeSpan.FromSeconds(2);

    public static readonly IReadOnlyList<ListedScenario> All =
    [
        new("kill", WithDials(BrokerTroubles.KillAsync, slowest: 1)),
        new("kill-without-database", WithDials(BrokerTroubles.KillWithoutDatabaseAsync, slowest: 1)),
        new("freeze", WithDials(BrokerTroubles.FreezeAsync, slowest: 3, furtherSilos: 1)),
        new("freeze-without-database", WithDials(BrokerTroubles.FreezeWithoutDatabaseAsync, furtherSilos: 1)),
        new("take-over", WithDials(BrokerTroubles.TakeOverAsync, slowest: 3)),
        new("start-while-frozen", WithDials(BrokerTroubles.StartWhileFrozenAsync, slowest: 3, furtherSilos: 1)),
        // A broker that is refused never has a silo.
        new("start-twice", WithDials(BrokerTroubles.StartTwiceAsync, slowest: 1, furtherSilos: -2)),
        new("kill-single-home", (context, stop) => SingleHomeScenario.RunAsync(context, isFrozen: false, stop)),
        new("freeze-single-home", (context, stop) => SingleHomeScenario.RunAsync(context, isFrozen: true, stop)),
        new("rolling-restart", RollingRestartScenario.RunAsync),
        new("cut-transfer", CutTransferScenario.RunAsync),
        new("database-stopped", WithDials(DatabaseTroubles.StopAsync)),
        new("database-killed", WithDials(DatabaseTroubles.KillAsync)),
        new("table-emptied", WithDials(DatabaseTroubles.EmptyAsync)),
        new("schema-dropped", WithDials(DatabaseTroubles.DropAsync)),
        new("all-restarted", (context, stop) => ColdStartScenario.RunAsync(context, isMoved: false, isBeforeDatabase: false, stop)),
        new("all-moved", (context, stop) => ColdStartScenario.RunAsync(context, isMoved: true, isBeforeDatabase: false, stop)),
        new("all-before-database", (context, stop) => ColdStartScenario.RunAsync(context, isMoved: false, isBeforeDatabase: true, stop)),
        new("storm", StormScenario.RunAsync),
        new("stopped-services", StoppedServicesScenario.RunAsync),
        new("waiting-dial", WaitingDialScenario.RunAsync),
        new("dial-path", DialPathScenario.RunAsync),
        new(DescriptorScenario.Name, DescriptorScenario.RunAsync, DescriptorScenario.LimitFor),
        new(RefusalScenario.Name, RefusalScenario.RunAsync, _ => RefusalScenario.Limit),
        new(PausedReaderScenario.Name, PausedReaderScenario.RunAsync, _ => PausedReaderScenario.Limit),
        new(VanishedPeerScenario.Name, VanishedPeerScenario.RunAsync, _ => VanishedPeerScenario.Limit),
    ];

    /// <summary>Agents with two homes are dialled while <paramref name="trouble"/> happens: no dial may fail, and no silo be declared dead falsely.</summary>
    /// <param name="trouble">What happens; returns its figures, to which those of the dials are added.</param>
    /// <param name="slowest">The longest that a dial may take, in seconds; null for no such goal.</param>
    /// <param name="furtherSilos">How many silos replace others, because their brokers were away long enough.</param>
    private static Scenario WithDials(
        Func<ScenarioCluster, CancellationToken, Task<IReadOnlyList<ScenarioFigure>>> trouble, double? slowest = null, int furtherSilos = 0) =>
        async (context, cancellationToken) =>
        {
            await using var cluster = await ScenarioCluster.StartAsync(context, homes: 2, cancellationToken);
            await cluster.StartDialsAsync(cancellationToken);
            await Task.Delay(BeforeTrouble, cancellationToken);
            var figures = await trouble(cluster, cancellationToken);
            return [.. await cluster.ReportAsync(slowest), await cluster.FurtherSilosAsync(furtherSilos), .. figures];
        };
}

/// <summary>A scenario by its name.</summary>
/// <param name="Name">In the command line.</param>
/// <param name="Run">What it does.</param>
/// <param name="Limit">How long a run may take; null for a scenario of a cluster, whose limit is the command's. Others are run only by their name.</param>
internal sealed record ListedScenario(string Name, Scenario Run, Func<ScenarioContext, TimeSpan>? Limit = null);
