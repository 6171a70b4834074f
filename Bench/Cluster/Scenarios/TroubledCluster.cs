using Whip.Bench.Cluster.Load;
using Whip.Harness.Cluster;

namespace Whip.Bench.Cluster.Scenarios;

/// <summary>A cluster with agents and, all the time, dials by a dialer that knows all brokers, and the auditor.</summary>
internal sealed class TroubledCluster : IAsyncDisposable
{
    private const int MaxNotes = 10;

    // The programs are just-in-time compiled: the first dials of each take far longer than any later one.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);

    private readonly ScenarioContext _context;
    private LocalAgents _agents = null!;
    private OpenLoopDials _dials = null!;
    private Auditor _auditor = null!;

    private TroubledCluster(ScenarioContext context, LocalCluster cluster) => (_context, Cluster) = (context, cluster);

    public LocalCluster Cluster { get; }

    public LocalAgents Agents => _agents;

    public OpenLoopDials Dials => _dials;

    /// <summary>How long trouble is to last, where it does not end by itself.</summary>
    public TimeSpan Length => _context.Length;

    /// <summary>Everything is registered and warm, and the dials count from now on.</summary>
    public static async Task<TroubledCluster> StartAsync(ScenarioContext context, int agents, int homes, CancellationToken cancellationToken)
    {
        var troubled = new TroubledCluster(context, await LocalCluster.StartAsync(context.Setup, cancellationToken));
        try
        {
            await troubled.StartAsync(agents, homes, cancellationToken);
            return troubled;
        }
        catch (Exception)
        {
            await troubled.DisposeAsync();
            throw;
        }
    }

    /// <summary>One of the brokers, by chance.</summary>
    public LocalBroker PickBroker() => Cluster.Brokers[_context.Random.Next(Cluster.Brokers.Count)];

    /// <summary>SIGKILL or SIGSTOP to one of the brokers; what it carries is lost with it.</summary>
    public LocalBroker Crash(bool isFrozen)
    {
        var broker = PickBroker();
        if (isFrozen)
        {
            broker.Freeze();
        }
        else
        {
            broker.Kill();
        }

        _dials.MarkCrash();
        return broker;
    }

    /// <summary>Ends the dials and the audit, and tells of both; what failed is noted with its reason.</summary>
    /// <param name="slowest">The longest a dial may take, in seconds; null for no such goal.</param>
    public async Task<List<ScenarioFigure>> ReportAsync(double? slowest)
    {
        await _auditor.StopAsync();
        var report = await _dials.StopAsync();
        foreach (var dial in report.Failed.Take(MaxNotes))
        {
            await _context.NoteAsync($"dial of {dial.Name} failed: {dial.Failure}");
        }

        foreach (var violation in _auditor.Violations.Take(MaxNotes))
        {
            await _context.NoteAsync($"not dialable: {violation}");
        }

        return
        [
            new("dials-failed", report.Failed.Count, "", 0, ("dials", report.Count), ("cut", report.Cut.Count)),
            new("dial-slowest", report.Slowest.TotalSeconds, "s", slowest),
            new("dial-p99", report.Percentile(99).TotalMilliseconds, "ms"),
            new("dial-p50", report.Percentile(50).TotalMilliseconds, "ms"),
            new("not-dialable", _auditor.Violations.Count, "", 0, ("audits", _auditor.Dials)),
        ];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in new IAsyncDisposable?[] { _auditor, _dials, _agents, Cluster })
        {
            await (part?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
    }

    private async Task StartAsync(int agents, int homes, CancellationToken cancellationToken)
    {
        _agents = new LocalAgents(Cluster, homes);
        await _agents.AddAsync(agents, cancellationToken);
        var (picks, orders, audits) = (_context.Random.Next(), _context.Random.Next(), _context.Random.Next());
        var pick = new Random(picks);
        _dials = new OpenLoopDials(Cluster.CreateDialer(new Random(orders)), _context.Rate, () => _agents.Pick(pick), _agents.Service.Port);
        _dials.Start();
        _auditor = new Auditor(Cluster, _agents, new Random(audits));
        await Task.Delay(WarmUp, cancellationToken);
        _dials.Forget();
    }
}
