using System.Collections.Concurrent;
using Whip.Registry;
using Whip.Registry.Membership;
using Whip.Registry.Peers;
using Whip.Registry.Routes;

namespace Whip.Tests.Registry.Peers;

/// <summary>Links without a wire: the tables of several brokers, asked directly. The test says who is linked and who is suspect.</summary>
internal sealed class JoinedPeers : IPeers
{
    private readonly ConcurrentDictionary<string, LocalRoutes> _tables = new();
    private readonly ConcurrentDictionary<string, Peer> _peers = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _held = new();
    private int _lookups;

    public IReadOnlyList<Peer> All => [.. _peers.Values];

    /// <summary>Questions asked so far.</summary>
    public int Lookups => Volatile.Read(ref _lookups);

    public LocalRoutes Add(string id)
    {
        var member = new BrokerMember { Id = id, ExternalGrpc = $"{id}:1", ExternalTcp = $"{id}:2", ExternalDial = $"{id}:3" };
        _peers[id] = new Peer(member, IsLinked: true, IsSilent: false, RoundTrip: null);
        return _tables[id] = new LocalRoutes(maxWatchesPerName: 100);
    }

    public void Silence(string id) => _peers[id] = _peers[id] with { IsSilent = true };

    /// <summary>Its lease is stale, though its link stands.</summary>
    public void Stale(string id) => _peers[id] = _peers[id] with { Member = _peers[id].Member with { IsSuspect = true } };

    public void Unlink(string id) => _peers[id] = _peers[id] with { IsLinked = false };

    public void Link(string id) => _peers[id] = _peers[id] with { IsLinked = true };

    /// <summary>From now on this broker answers nothing until <see cref="Release"/>.</summary>
    public void Hold(string id) => _held[id] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release(string id)
    {
        if (_held.TryRemove(id, out var held))
        {
            held.SetResult();
        }
    }

    /// <summary>The broker whose time runs out at every question.</summary>
    public string Unanswered { get; set; } = "";

    public async Task<NameReport?> LookupAsync(string brokerId, NameQuery query, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _lookups);
        if (_held.TryGetValue(brokerId, out var held))
        {
            await held.Task.WaitAsync(cancellationToken);
        }

        return _peers[brokerId].IsLinked && Unanswered != brokerId ? _tables[brokerId].Report(query) : null;
    }

    public IDisposable Watch(string name, Action<string> announced)
    {
        var watches = _tables.Select(pair => (pair.Key, Watch: pair.Value.Watch(name)!)).ToList();
        foreach (var (id, watch) in watches)
        {
            watch.Announced.ContinueWith(_ => announced(id), TaskScheduler.Default);
        }

        return new Unwatch(watches.Select(pair => pair.Watch));
    }

    private sealed class Unwatch(IEnumerable<IRouteWatch> watches) : IDisposable
    {
        public void Dispose()
        {
            foreach (var watch in watches)
            {
                watch.Dispose();
            }
        }
    }
}
