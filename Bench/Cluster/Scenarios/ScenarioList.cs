namespace Whip.Bench.Cluster.Scenarios;

/// <summary>Every scenario, by the name it is asked for.</summary>
internal static class ScenarioList
{
    public static readonly IReadOnlyList<(string Name, IScenario Scenario)> All =
    [
        ("kill", new TroubleScenario(BrokerTroubles.KillAsync, slowest: 1)),
        ("kill-without-database", new TroubleScenario(DatabaseTroubles.StopAndKillBrokerAsync, slowest: 1)),
        ("freeze", new TroubleScenario(BrokerTroubles.FreezeAsync, slowest: 3, furtherSilos: 1)),
        ("freeze-without-database", new TroubleScenario(BrokerTroubles.FreezeWithoutDatabaseAsync, furtherSilos: 1)),
        ("take-over", new TroubleScenario(BrokerTroubles.TakeOverAsync, slowest: 3)),
        ("start-while-frozen", new TroubleScenario(BrokerTroubles.StartWhileFrozenAsync, slowest: 3, furtherSilos: 1)),
        // Whoever is refused never has a silo.
        ("start-twice", new TroubleScenario(BrokerTroubles.StartTwiceAsync, slowest: 1, furtherSilos: -2)),
        ("kill-single-home", new SingleHomeScenario(isFrozen: false)),
        ("freeze-single-home", new SingleHomeScenario(isFrozen: true)),
        ("rolling-restart", new RollingRestartScenario()),
        ("cut-transfer", new CutTransferScenario()),
        ("database-stopped", new TroubleScenario(DatabaseTroubles.StopAsync)),
        ("database-killed", new TroubleScenario(DatabaseTroubles.KillAsync)),
        ("table-emptied", new TroubleScenario(DatabaseTroubles.EmptyAsync)),
        ("schema-dropped", new TroubleScenario(DatabaseTroubles.DropAsync)),
        ("all-restarted", new ColdStartScenario(ColdStartScenario.StartSameAsync)),
        ("all-moved", new ColdStartScenario(ColdStartScenario.StartElsewhereAsync)),
        ("all-before-database", new ColdStartScenario(ColdStartScenario.StartBeforeDatabaseAsync)),
        ("storm", new StormScenario()),
        ("waiting-dial", new WaitingDialScenario()),
        ("dial-path", new DialPathScenario()),
    ];
}
