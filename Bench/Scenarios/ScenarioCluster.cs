namespace Whip.Bench.Scenarios;

/// <summary>The cluster of one run with its agents and, once started, dials at a fixed rate by a dialer that knows all brokers, and the auditor.</summary>
internal sealed class ScenarioCluster : IAsyncDisposable
{
    private const int DefaultAgents = 100;
    private const int MaxNotes = 10;

    // The programs are compiled while they run: the first dials of each take far longer than any later one.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan SilosInterval = TimeSpan.FromMilliseconds(200);

    private readonly ScenarioContext _context;
    private Auditor? _auditor;

    private ScenarioCluster(ScenarioContext context, LocalCluster cluster, int homes)
    {
        (_context, Cluster) = (context, cluster);
        var tls = cluster.CertificateFiles.Client($"*.{Certificates.Domain}");
        Agents = new LocalAgents(() => Brokers.Select(broker => broker.Grpc), () => Brokers.Count(broker => broker.IsRunning), homes, tls);
    }

    public LocalCluster Cluster { get; }

    public IReadOnlyList<LocalBroker> Brokers => Cluster.Brokers;

    public LocalAgents Agents { get; }

    public OpenLoopDials? Dials { get; private set; }

    /// <summary>How long trouble lasts, where it does not end by itself.</summary>
    public TimeSpan Length => _context.Length;

    /// <summary>Starts the cluster and agents, by default 100 or as many as the user asked for, and waits until they are registered.</summary>
    public static async Task<ScenarioCluster> StartAsync(ScenarioContext context, int homes, CancellationToken cancellationToken, int? agents = null)
    {
        var cluster = new ScenarioCluster(context, await LocalCluster.StartAsync(context.Setup, cancellationToken), homes);
        return await Parts.StartAsync(cluster, _ => cluster.Agents.AddAsync(agents ?? context.Agents ?? DefaultAgents, cancellationToken));
    }

    /// <summary>Starts the dials and the auditor. The dials count once everything is warm.</summary>
    public async Task StartDialsAsync(CancellationToken cancellationToken)
    {
        Dials = StartDials();
        _auditor = new Auditor(Cluster, Agents, new Random(_context.Random.Next()));
        await Task.Delay(WarmUp, cancellationToken);
        Dials.Forget();
    }

    /// <summary>Starts dials that the caller ends.</summary>
    public OpenLoopDials StartDials()
    {
        var random = new Random(_context.Random.Next());
        return new OpenLoopDials(Cluster.CreateDialer(random), _context.Rate, () => Agents.Pick(random), Agents.Service.Port);
    }

    /// <summary>The time from <paramref name="since"/> until each agent was reached, in the order of <paramref name="names"/>.</summary>
    public Task<TimeSpan> WhenDialableAsync(IReadOnlyCollection<string> names, long since, CancellationToken cancellationToken) =>
        new Reachability(Cluster, Agents.Service.Port).WhenAllAsync(names, since, cancellationToken);

    public LocalBroker PickBroker() => Brokers[_context.Random.Next(Brokers.Count)];

    public (LocalBroker First, LocalBroker Second) PickBrokers()
    {
        var first = _context.Random.Next(Brokers.Count);
        return (Brokers[first], Brokers[(first + 1 + _context.Random.Next(Brokers.Count - 1)) % Brokers.Count]);
    }

    /// <summary>Sends SIGKILL or SIGSTOP to one of the brokers. The streams that it carries are lost with it.</summary>
    public LocalBroker Crash(bool isFrozen)
    {
        var broker = PickBroker();
        broker.Crash(isFrozen);
        Dials?.MarkCrash();
        return broker;
    }

    /// <summary>Ends the dials and the audit and returns what both showed. The reasons of failures are noted.</summary>
    /// <param name="slowest">The longest that a dial may take, in seconds; null for no such goal.</param>
    public async Task<IReadOnlyList<ScenarioFigure>> ReportAsync(double? slowest)
    {
        await _auditor!.StopAsync();
        var report = await ReportAsync(Dials!);
        foreach (var violation in _auditor.Violations.Take(MaxNotes))
        {
            await _context.NoteAsync($"not dialable: {violation}");
        }

        return
        [
            Failed(report),
            new("dial-slowest", report.Latencies.Percentile(100).TotalSeconds, "s", slowest),
            new("dial-p99", report.Latencies.Percentile(99).TotalMilliseconds, "ms"),
            new("dial-p50", report.Latencies.Percentile(50).TotalMilliseconds, "ms"),
            new("not-dialable", _auditor.Violations.Count, "", 0, ("audits", _auditor.Dials)),
        ];
    }

    /// <summary>Ends the dials. The reasons of failures are noted.</summary>
    public async Task<DialReport> ReportAsync(OpenLoopDials dials)
    {
        var report = await dials.StopAsync();
        foreach (var dial in report.Failed.Take(MaxNotes))
        {
            await _context.NoteAsync($"dial of {dial.Name} failed: {dial.Failure}");
        }

        return report;
    }

    public static ScenarioFigure Failed(DialReport report) =>
        new("dials-failed", report.Failed.Count, "", 0, ("dials", report.Count), ("cut", report.Cut.Count));

    /// <summary>
    /// Compares the number of silos that replaced others with <paramref name="expected"/>, the number of brokers that were away long enough: one more
    /// was declared dead falsely, one less was never declared dead.
    /// </summary>
    public async Task<ScenarioFigure> FurtherSilosAsync(int expected)
    {
        var silos = await Cluster.ReadSilosAsync();
        var further = silos.Length - Cluster.Starts;
        if (further != expected)
        {
            await _context.NoteAsync($"{further} further silos, not {expected}: {string.Join(", ", silos)}");
        }

        return new("silos-judged-wrongly", Math.Abs(further - expected), "", 0, ("further", further));
    }

    /// <summary>Waits until so many silos have replaced others; <see cref="FurtherSilosAsync"/> judges whether they have.</summary>
    public Task WhenReplacedAsync(int silos, TimeSpan limit, CancellationToken cancellationToken) =>
        Polling.UntilAsync(async () => (await Cluster.ReadSilosAsync()).Length - Cluster.Starts >= silos, limit, SilosInterval, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        foreach (var part in new IAsyncDisposable?[] { _auditor, Dials, Agents, Cluster })
        {
            await (part?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
    }
}
