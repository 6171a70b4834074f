using System.Collections.Concurrent;
using System.Net;
using Whip.Agent;
using Whip.Hosting.Listening;
using Whip.Protocol.Tls;

namespace Whip.Bench.Load;

/// <summary>Agents in this process, with one checking service behind all of them.</summary>
/// <param name="endpoints">The control addresses that agents are given.</param>
/// <param name="countRunning">How many of the brokers run now.</param>
/// <param name="homes">At how many brokers each agent registers, if so many run.</param>
/// <param name="tls">A certificate for any host of the domain.</param>
internal sealed class LocalAgents(Func<IEnumerable<IPEndPoint>> endpoints, Func<int> countRunning, int homes, WhipTlsOptions tls) : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);

    private readonly ConcurrentQueue<WhipAgent> _all = [];
    private readonly HandshakeSlots _openings = WhipAgent.NewOpenings(TimeProvider.System);

    private readonly TlsIdentity? _identity = tls.Enabled ? TlsIdentity.Load(tls) : null;

    // Replaced as a whole: it is read at any time.
    private volatile WhipAgent[] _registered = [];
    private int _created;

    public CheckingService Service { get; } = new();

    /// <summary>The agents that have been registered; they may have lost their streams since.</summary>
    public IReadOnlyList<WhipAgent> Registered => _registered;

    public IReadOnlyList<string> Names => Array.ConvertAll(_registered, agent => agent.Name);

    public string Pick(Random random) => _registered[random.Next(_registered.Length)].Name;

    /// <summary>Registers more agents at once and waits until each has every home it can have.</summary>
    public async Task AddAsync(int count, CancellationToken cancellationToken)
    {
        IPEndPoint[] brokers = [.. endpoints()];
        var agents = Enumerable.Range(0, count).Select(_ => Create(brokers)).ToArray();
        await Task.WhenAll(agents.Select(agent => agent.StartAsync(cancellationToken)));
        await WhenHomesAsync(agents, cancellationToken);
        _registered = [.. _registered, .. agents];
    }

    /// <summary>Creates an agent that is neither started nor among <see cref="Registered"/>.</summary>
    public WhipAgent Create(params IPEndPoint[] brokers) => Create(static _ => { }, brokers);

    /// <summary>The same, with options of its own.</summary>
    public WhipAgent Create(Action<WhipAgentOptions> change, params IPEndPoint[] brokers)
    {
        var options = new WhipAgentOptions
        {
            Hostname = $"agent{Interlocked.Increment(ref _created)}",
            Domain = Certificates.Domain,
            Ports = [Service.Port],
            Endpoints = [.. brokers.Select(broker => $"{broker}")],
            Homes = homes,
            DrainTimeout = TimeSpan.Zero,
            Tls = tls,
        };
        change(options);
        var agent = new WhipAgent(options, _openings, _identity);
        _all.Enqueue(agent);
        return agent;
    }

    /// <summary>Waits until every registered agent has every home it can have.</summary>
    public Task WhenHomesAsync(CancellationToken cancellationToken) => WhenHomesAsync(_registered, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_all.Select(agent => agent.DisposeAsync().AsTask()));
        await Service.DisposeAsync();
    }

    private async Task WhenHomesAsync(WhipAgent[] agents, CancellationToken cancellationToken)
    {
        var count = Math.Min(homes, countRunning());
        if (!await Polling.UntilAsync(() => Array.TrueForAll(agents, agent => agent.HomeCount >= count), Timeout, Interval, cancellationToken))
        {
            var (lacking, lost) = (agents.Count(agent => agent.HomeCount < count), agents.Count(agent => agent.HomeCount == 0));
            var problem = $"{lacking} of {agents.Length} have fewer than {count} homes after {Timeout.TotalSeconds} s, {lost} have none";
            throw new PartFailedException("agents", problem, []);
        }
    }
}
