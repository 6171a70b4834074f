namespace Whip.Bench.Scenarios;

/// <summary>A broker is killed or frozen, another is started while it is away, or one is started twice.</summary>
internal static class BrokerTroubles
{
    private const double SuspectGoal = 5;
    private const double KilledSiloGoal = 5;
    private const double FrozenSiloGoal = 20;

    // From the return of the database: some silos vote, and one that misses the news reads the table up to 10 seconds later.
    private const double SiloGoalWithoutDatabase = 25;

    // A starting broker waits until a frozen silo is declared dead.
    private const double StartGoal = 25;
    private const double GiveWayGoal = 15;

    // From when its silo is declared dead.
    private const double MemberGoal = 35;

    // Shorter trouble is over before a silent broker is removed from the members.
    private static readonly TimeSpan MemberLength = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan AfterThaw = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan DatabaseAway = TimeSpan.FromSeconds(30);

    public static Task<IReadOnlyList<ScenarioFigure>> KillAsync(ScenarioCluster cluster, CancellationToken cancellationToken) =>
        CrashAsync(cluster, isFrozen: false, KilledSiloGoal, cancellationToken);

    /// <summary>SIGSTOP, then SIGCONT: it continues with what it knew before, and must do no harm.</summary>
    public static Task<IReadOnlyList<ScenarioFigure>> FreezeAsync(ScenarioCluster cluster, CancellationToken cancellationToken) =>
        CrashAsync(cluster, isFrozen: true, FrozenSiloGoal, cancellationToken);

    /// <summary>A frozen broker continues after its silo was declared dead, while the database, where it would read that, is away.</summary>
    public static async Task<IReadOnlyList<ScenarioFigure>> FreezeWithoutDatabaseAsync(ScenarioCluster cluster, CancellationToken cancellationToken)
    {
        var victim = cluster.Crash(isFrozen: true);
        await new MemberWatch(cluster.Cluster, victim).WhenNoSiloAsync(Stopwatch.GetTimestamp(), cancellationToken);
        await cluster.Cluster.Postgres.StopAsync();
        victim.Thaw();
        await Task.Delay(DatabaseAway, cancellationToken);
        await cluster.Cluster.Postgres.StartAsync();
        var back = Stopwatch.GetTimestamp();

        // Until it reads that its silo is dead, it is as ready as before.
        await cluster.WhenReplacedAsync(silos: 1, TimeSpan.FromSeconds(StartGoal), cancellationToken);
        await victim.WhenReadyAsync(cancellationToken);
        return [new("ready-again", Stopwatch.GetElapsedTime(back).TotalSeconds, "s", StartGoal)];
    }

    /// <summary>PostgreSQL is stopped, then a broker is killed: its silo cannot be declared dead before the database is back.</summary>
    public static async Task<IReadOnlyList<ScenarioFigure>> KillWithoutDatabaseAsync(ScenarioCluster cluster, CancellationToken cancellationToken)
    {
        await cluster.Cluster.Postgres.StopAsync();
        var (victim, crashed) = (cluster.Crash(isFrozen: false), Stopwatch.GetTimestamp());
        var registering = DatabaseTroubles.RegisterAsync(cluster, cancellationToken);
        var suspect = await WhenSuspectAsync(cluster, victim, crashed, cancellationToken);
        await registering;
        var away = Stopwatch.GetElapsedTime(crashed);
        await cluster.Cluster.Postgres.StartAsync();
        var back = Stopwatch.GetTimestamp();
        return
        [
            suspect,
            await DatabaseTroubles.WhenWholeAsync(cluster.Cluster, back, away, cancellationToken),
            .. await WhenDeadAsync(cluster, victim, back, SiloGoalWithoutDatabase, cancellationToken),
        ];
    }

    /// <summary>Another process takes the id of a frozen broker, which has to give way when it continues.</summary>
    public static async Task<IReadOnlyList<ScenarioFigure>> TakeOverAsync(ScenarioCluster cluster, CancellationToken cancellationToken)
    {
        var victim = cluster.Crash(isFrozen: true);
        var started = await StartAnotherAsync(cluster, victim.Id, insteadOf: victim, cancellationToken);
        victim.Thaw();
        cluster.Dials!.MarkCrash();
        var thawed = Stopwatch.GetTimestamp();
        var exitCode = await victim.WhenEndedAsync(cancellationToken);
        var gone = Stopwatch.GetElapsedTime(thawed);
        await Task.Delay(AfterThaw, cancellationToken);
        return [started, new("gives-way", gone.TotalSeconds, "s", GiveWayGoal), ExitCode("gives-way", exitCode, expected: 1)];
    }

    /// <summary>A broker is started while another is frozen, whose silo does not answer.</summary>
    public static async Task<IReadOnlyList<ScenarioFigure>> StartWhileFrozenAsync(ScenarioCluster cluster, CancellationToken cancellationToken)
    {
        var victim = cluster.Crash(isFrozen: true);
        var started = await StartAnotherAsync(cluster, "broker4", insteadOf: null, cancellationToken);
        victim.Thaw();
        await Task.Delay(AfterThaw, cancellationToken);
        return [started];
    }

    /// <summary>Brokers are started that have the id, or the silo's address, of one that runs; each has to end.</summary>
    public static async Task<IReadOnlyList<ScenarioFigure>> StartTwiceAsync(ScenarioCluster cluster, CancellationToken cancellationToken)
    {
        var first = cluster.PickBroker();
        (string Same, LocalBroker Broker)[] seconds =
        [
            ("id", cluster.Cluster.CreateBroker(first.Id)),
            ("silo-address", cluster.Cluster.CreateBroker("broker4", "--external-silo", $"{first.Silo}")),
        ];
        var figures = new List<ScenarioFigure>();
        foreach (var (same, broker) in seconds)
        {
            broker.Launch();
            var started = Stopwatch.GetTimestamp();
            var exitCode = await broker.WhenEndedAsync(cancellationToken);
            figures.Add(new($"same-{same}-refused", Stopwatch.GetElapsedTime(started).TotalSeconds, "s", StartGoal));
            figures.Add(ExitCode($"same-{same}", exitCode, expected: 2));
        }

        await Task.Delay(AfterThaw, cancellationToken);
        return figures;
    }

    private static async Task<IReadOnlyList<ScenarioFigure>> CrashAsync(
        ScenarioCluster cluster, bool isFrozen, double siloGoal, CancellationToken cancellationToken)
    {
        var length = Task.Delay(cluster.Length, cancellationToken);
        var (victim, crashed) = (cluster.Crash(isFrozen), Stopwatch.GetTimestamp());
        var suspect = await WhenSuspectAsync(cluster, victim, crashed, cancellationToken);
        var dead = await WhenDeadAsync(cluster, victim, crashed, siloGoal, cancellationToken);
        await length;
        if (isFrozen)
        {
            victim.Thaw();
            await Task.Delay(AfterThaw, cancellationToken);
        }

        return [suspect, .. dead];
    }

    private static ScenarioFigure ExitCode(string name, int exitCode, int expected) =>
        new($"{name}-not-with-{expected}", exitCode == expected ? 0 : 1, "", 0, ("exit-code", exitCode));

    /// <summary>Starts another broker, sends dials to it, and waits until the trouble has lasted for its length.</summary>
    private static async Task<ScenarioFigure> StartAnotherAsync(
        ScenarioCluster cluster, string id, LocalBroker? insteadOf, CancellationToken cancellationToken)
    {
        var length = Task.Delay(cluster.Length, cancellationToken);
        var broker = cluster.Cluster.CreateBroker(id);
        var started = Stopwatch.GetTimestamp();
        await broker.StartAsync(cancellationToken);
        var figure = new ScenarioFigure("started", Stopwatch.GetElapsedTime(started).TotalSeconds, "s", StartGoal);
        cluster.Cluster.Use(broker, insteadOf);
        await length;
        return figure;
    }

    private static async Task<ScenarioFigure> WhenSuspectAsync(ScenarioCluster cluster, LocalBroker victim, long since, CancellationToken cancellationToken) =>
        new("suspect-everywhere", await new MemberWatch(cluster.Cluster, victim).WhenSuspectAsync(since, cancellationToken), "s", SuspectGoal);

    /// <summary>How long until no other broker has the victim's silo and, if the trouble is long enough, the victim as a member.</summary>
    private static async Task<IReadOnlyList<ScenarioFigure>> WhenDeadAsync(
        ScenarioCluster cluster, LocalBroker victim, long since, double siloGoal, CancellationToken cancellationToken)
    {
        var watch = new MemberWatch(cluster.Cluster, victim);
        var dead = new ScenarioFigure("silo-dead-everywhere", await watch.WhenNoSiloAsync(since, cancellationToken), "s", siloGoal);
        return cluster.Length < MemberLength
            ? [dead]
            : [dead, new("gone-everywhere", await watch.WhenGoneAsync(since, cancellationToken), "s", siloGoal + MemberGoal)];
    }
}
