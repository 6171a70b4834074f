namespace Whip.Bench.Scenarios;

internal static class ScenarioList
{
    private static readonly TimeSpan BeforeTrouble = TimeSpan.FromSeconds(2);

    public static readonly IReadOnlyList<(string Name, Scenario Run)> All =
    [
        ("kill", WithDials(BrokerTroubles.KillAsync, slowest: 1)),
        ("kill-without-database", WithDials(BrokerTroubles.KillWithoutDatabaseAsync, slowest: 1)),
        ("freeze", WithDials(BrokerTroubles.FreezeAsync, slowest: 3, furtherSilos: 1)),
        ("freeze-without-database", WithDials(BrokerTroubles.FreezeWithoutDatabaseAsync, furtherSilos: 1)),
        ("take-over", WithDials(BrokerTroubles.TakeOverAsync, slowest: 3)),
        ("start-while-frozen", WithDials(BrokerTroubles.StartWhileFrozenAsync, slowest: 3, furtherSilos: 1)),
        // A broker that is refused never has a silo.
        ("start-twice", WithDials(BrokerTroubles.StartTwiceAsync, slowest: 1, furtherSilos: -2)),
        ("kill-single-home", (context, stop) => SingleHomeScenario.RunAsync(context, isFrozen: false, stop)),
        ("freeze-single-home", (context, stop) => SingleHomeScenario.RunAsync(context, isFrozen: true, stop)),
        ("rolling-restart", RollingRestartScenario.RunAsync),
        ("cut-transfer", CutTransferScenario.RunAsync),
        ("database-stopped", WithDials(DatabaseTroubles.StopAsync)),
        ("database-killed", WithDials(DatabaseTroubles.KillAsync)),
        ("table-emptied", WithDials(DatabaseTroubles.EmptyAsync)),
        ("schema-dropped", WithDials(DatabaseTroubles.DropAsync)),
        ("all-restarted", (context, stop) => ColdStartScenario.RunAsync(context, isMoved: false, isBeforeDatabase: false, stop)),
        ("all-moved", (context, stop) => ColdStartScenario.RunAsync(context, isMoved: true, isBeforeDatabase: false, stop)),
        ("all-before-database", (context, stop) => ColdStartScenario.RunAsync(context, isMoved: false, isBeforeDatabase: true, stop)),
        ("storm", StormScenario.RunAsync),
        ("waiting-dial", WaitingDialScenario.RunAsync),
        ("dial-path", DialPathScenario.RunAsync),
        (DescriptorScenario.Name, DescriptorScenario.RunAsync),
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
