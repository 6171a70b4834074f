using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Whip.Agent;
using Whip.Harness.Checking;
using Whip.Harness.Cluster;
using Whip.Hosting.Listening;
using Whip.Protocol.Connect;
using Whip.Protocol.Names;

namespace Whip.Bench.Cluster.Load;

/// <summary>
/// Watches over one promise: an agent whose stream has stood for two seconds is dialable from every ready broker. Several times a second it
/// picks some such agents and dials them at every ready broker, redirects not accepted.
/// </summary>
internal sealed class Auditor : IAsyncDisposable
{
    private const int PerRound = 3;
    private const int MaxUnderWay = 100;

    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    private readonly LocalCluster _cluster;
    private readonly LocalAgents _agents;
    private readonly Random _random;
    private readonly Dictionary<(WhipAgent Agent, IPEndPoint Home), long> _since = [];
    private readonly ConcurrentQueue<string> _violations = [];
    private readonly TaskTracker _dialling = new(e => Environment.FailFast("a dial of the auditor broke", e));
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private int _dials;

    public Auditor(LocalCluster cluster, LocalAgents agents, Random random)
    {
        (_cluster, _agents, _random) = (cluster, agents, random);
        _running = Task.Run(RunAsync);
    }

    public int Dials => Volatile.Read(ref _dials);

    /// <summary>Which agent could not be dialled where, and why.</summary>
    public IReadOnlyCollection<string> Violations => _violations;

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
        await _dialling.WhenEmpty();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            using var rounds = new PeriodicTimer(Round);
            while (await rounds.WaitForNextTickAsync(_stop.Token))
            {
                var settled = FindSettled();
                foreach (var broker in _cluster.Brokers)
                {
                    if (settled.Length > 0 && _dialling.Count < MaxUnderWay && await broker.IsReadyAsync(_stop.Token))
                    {
                        _random.GetItems(settled, PerRound).ToList().ForEach(s => _dialling.Run(() => AuditAsync(broker, s.Agent, s.Home)));
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>Agents with a home at a running broker, and that home, which they have had for long enough.</summary>
    private (WhipAgent Agent, IPEndPoint Home)[] FindSettled()
    {
        var now = Stopwatch.GetTimestamp();
        var running = _cluster.Brokers.Where(b => b.IsRunning).Select(b => b.Grpc).ToHashSet();
        var live = _agents.Registered.SelectMany(a => a.AttachedTo.Where(running.Contains).Select(home => (a, home))).ToHashSet();
        foreach (var gone in _since.Keys.Where(k => !live.Contains(k)).ToArray())
        {
            _since.Remove(gone);
        }

        foreach (var stream in live)
        {
            _since.TryAdd(stream, now);
        }

        return [.. _since.Where(s => Stopwatch.GetElapsedTime(s.Value, now) > Settled).Select(s => s.Key)];
    }

    private async Task AuditAsync(LocalBroker broker, WhipAgent agent, IPEndPoint home)
    {
        var started = Stopwatch.GetTimestamp();
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            var leg = await _cluster.CreateDialer(broker, new ConnectRequest(DialTarget.Of(agent.Name, _agents.Service.Port))).DialAsync(deadline.Token);
            leg.Abort();
            Interlocked.Increment(ref _dials);
        }
        catch (DialFailedException failure)
        {
            // What went down meanwhile owes nothing.
            if (agent.AttachedTo.Contains(home) && _cluster.Brokers.Any(b => b.IsRunning && b.Grpc.Equals(home)) && await broker.IsReadyAsync(CancellationToken.None))
            {
                var after = Stopwatch.GetElapsedTime(started).TotalSeconds;
                _violations.Enqueue(FormattableString.Invariant($"{agent.Name} at {broker.Id}: {failure.Message} after {after:0.00} s, though it has a stream to {home}"));
            }
        }
    }
}
