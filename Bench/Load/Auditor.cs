using System.Collections.Concurrent;
using System.Net;
using Whip.Agent;

using Whip.Protocol;
namespace Whip.Bench.Load;

/// <summary>
/// Checks one promise: an agent whose stream has stood for two seconds is dialable at every ready broker. Several times a second it picks some
/// such agents and dials them at every ready broker, without accepting redirects.
/// </summary>
internal sealed class Auditor : IAsyncDisposable
{
    private const int PerRound = 3;
    private const int MaxUnderWay = 100;

    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(5);

    private readonly LocalCluster _cluster;
    private readonly LocalAgents _agents;
    private readonly Random _random;
    private readonly ConcurrentQueue<string> _violations = [];
    private readonly TaskTracker _dialling = new(e => Environment.FailFast("a dial of the auditor failed unexpectedly", e));
    private readonly BackgroundWork _rounds;
    private Dictionary<(WhipAgent Agent, IPEndPoint Home), long> _since = [];
    private int _dials;

    public Auditor(LocalCluster cluster, LocalAgents agents, Random random)
    {
        (_cluster, _agents, _random) = (cluster, agents, random);
        _rounds = new BackgroundWork(RunAsync);
    }

    public int Dials => Volatile.Read(ref _dials);

    /// <summary>Which agent could not be dialled where, and why.</summary>
    public IReadOnlyCollection<string> Violations => _violations;

    public async Task StopAsync()
    {
        await _rounds.StopAsync();
        await _dialling.WhenEmpty();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _rounds.DisposeAsync();
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        using var rounds = new PeriodicTimer(Round);
        while (await rounds.WaitForNextTickAsync(cancellationToken))
        {
            var settled = FindSettled();
            foreach (var broker in _cluster.Brokers)
            {
                if (settled.Length > 0 && _dialling.Count < MaxUnderWay && await broker.IsReadyAsync(cancellationToken))
                {
                    _random.GetItems(settled, PerRound).ToList().ForEach(s => _dialling.Run(() => AuditAsync(broker, s.Agent, s.Home)));
                }
            }
        }
    }

    /// <summary>The agents that have had a home at a running broker for long enough, each with that home.</summary>
    private (WhipAgent Agent, IPEndPoint Home)[] FindSettled()
    {
        var now = Stopwatch.GetTimestamp();
        var running = _cluster.Brokers.Where(b => b.IsRunning).Select(b => b.Grpc).ToHashSet();
        var live = _agents.Registered.SelectMany(agent => agent.AttachedTo.Where(running.Contains).Select(home => (agent, home))).ToHashSet();
        _since = live.ToDictionary(stream => stream, stream => _since.GetValueOrDefault(stream, now));
        return [.. _since.Where(s => Stopwatch.GetElapsedTime(s.Value, now) > Settled).Select(s => s.Key)];
    }

    private async Task AuditAsync(LocalBroker broker, WhipAgent agent, IPEndPoint home)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            (await _cluster.CreateDialer(broker, agent.Name, _agents.Service.Port).DialAsync(DialTimeout, CancellationToken.None)).Abort();
            Interlocked.Increment(ref _dials);
        }
        catch (DialFailedException failure)
        {
            var after = Stopwatch.GetElapsedTime(started).TotalSeconds;
            var isOwed = agent.AttachedTo.Contains(home) && _cluster.Brokers.Any(b => b.IsRunning && b.Grpc.Equals(home));

            // A broker that has gone down or is no longer ready promises nothing.
            if (isOwed && await broker.IsReadyAsync(CancellationToken.None))
            {
                var problem = FormattableString.Invariant($"{failure.Message} after {after:0.00} s");
                _violations.Enqueue($"{agent.Name} at {broker.Id}: {problem}, though it has a stream to {home}");
            }
        }
    }
}
