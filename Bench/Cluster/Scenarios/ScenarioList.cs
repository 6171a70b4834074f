namespace Whip.Bench.Cluster.Scenarios;

/// <summary>Every scenario, by the name it is asked for.</summary>
internal static class ScenarioList
{
    public static readonly IReadOnlyList<(string Name, IScenario Scenario)> All =
    [
        ("kill", new CrashScenario(isFrozen: false)),
        ("freeze", new CrashScenario(isFrozen: true)),
        ("kill-single-home", new SingleHomeScenario(isFrozen: false)),
        ("freeze-single-home", new SingleHomeScenario(isFrozen: true)),
        ("rolling-restart", new RollingRestartScenario()),
        ("cut-transfer", new CutTransferScenario()),
        ("database-stopped", new DatabaseAwayScenario(DatabaseTrouble.Stop)),
        ("database-killed", new DatabaseAwayScenario(DatabaseTrouble.Kill)),
        ("database-emptied", new DatabaseAwayScenario(DatabaseTrouble.Empty)),
        ("storm", new StormScenario()),
        ("waiting-dial", new WaitingDialScenario()),
        ("dial-path", new DialPathScenario()),
    ];
}
