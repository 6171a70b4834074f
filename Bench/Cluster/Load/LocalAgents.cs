using System.Collections.Concurrent;
using System.Net;
using Whip.Agent;
using Whip.Harness;
using Whip.Harness.Checking;
using Whip.Harness.Cluster;
using Whip.Harness.Programs;
using Whip.Hosting.Listening;
using Whip.Protocol.Tls;

namespace Whip.Bench.Cluster.Load;

/// <summary>Agents inside this process, with one checking service behind all of them.</summary>
internal sealed class LocalAgents(LocalCluster cluster, int homes) : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(90);

    private readonly ConcurrentQueue<WhipAgent> _all = [];
    private readonly HandshakeSlots _openings = WhipAgent.NewOpenings(TimeProvider.System);
    private readonly WhipTlsOptions _tls = cluster.CertificateFiles.Client($"*.{Certificates.Domain}");

    // Replaced as a whole: it is read at any time.
    private volatile WhipAgent[] _registered = [];
    private int _created;

    public CheckingService Service { get; } = new();

    /// <summary>Those that were once registered; they may have lost their streams since.</summary>
    public IReadOnlyList<WhipAgent> Registered => _registered;

    /// <summary>One of those that were once registered.</summary>
    public string Pick(Random random) => _registered[random.Next(_registered.Length)].Name;

    /// <summary>Registers more agents, all at once, and waits until each has every home it can have.</summary>
    /// <exception cref="PartFailedException">One has not.</exception>
    public async Task AddAsync(int count, CancellationToken cancellationToken)
    {
        var endpoints = cluster.Brokers.Select(b => b.Grpc).ToArray();
        var agents = Enumerable.Range(0, count).Select(_ => Create(endpoints)).ToArray();
        await Task.WhenAll(agents.Select(a => a.StartAsync(cancellationToken)));
        await AwaitHomesAsync(agents, Math.Min(homes, cluster.Brokers.Count(b => b.IsRunning)), cancellationToken);
        _registered = [.. _registered, .. agents];
    }

    /// <summary>An agent that is not registered yet, and not among <see cref="Registered"/>.</summary>
    public WhipAgent Create(params IPEndPoint[] endpoints)
    {
        var options = new WhipAgentOptions
        {
            Hostname = $"agent{Interlocked.Increment(ref _created)}",
            Domain = Certificates.Domain,
            Ports = [Service.Port],
            Endpoints = [.. endpoints.Select(e => $"{e}")],
            Homes = homes,
            DrainTimeout = TimeSpan.Zero,
            Tls = _tls,
        };
        var agent = new WhipAgent(options, _openings);
        _all.Enqueue(agent);
        return agent;
    }

    /// <summary>Waits until every registered agent has every home it can have.</summary>
    /// <exception cref="PartFailedException">One has not.</exception>
    public Task AwaitHomesAsync(CancellationToken cancellationToken) =>
        AwaitHomesAsync(_registered, Math.Min(homes, cluster.Brokers.Count(b => b.IsRunning)), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_all.Select(agent => agent.DisposeAsync().AsTask()));
        await Service.DisposeAsync();
    }

    private static async Task AwaitHomesAsync(WhipAgent[] agents, int count, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Timeout);
        while (Array.Exists(agents, a => a.HomeCount < count))
        {
            if (deadline.IsCancellationRequested)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (lacking, lost) = (agents.Count(a => a.HomeCount < count), agents.Count(a => a.HomeCount == 0));
                throw new PartFailedException("agents", $"{lacking} of {agents.Length} have fewer than {count} homes after {Timeout.TotalSeconds} s, {lost} have none", []);
            }

            await Task.Delay(5, cancellationToken);
        }
    }
}
