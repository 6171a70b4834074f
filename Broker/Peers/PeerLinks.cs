using Microsoft.Extensions.Logging;
using Whip.Hosting.Metrics;
using Whip.Registry.Membership;
using Whip.Registry.Peers;

namespace Whip.Broker.Peers;

/// <summary>
/// One link to every other member of the cluster. <see cref="RunAsync"/> is their owner: it follows the members and ends all links
/// when it ends. The lock is held to look and to queue, never to wait.
/// </summary>
internal sealed class PeerLinks(ClusterCredentials self, IMetricFactory metrics, ILogger logger, TimeProvider time) : IPeers
{
    private static readonly CancellationToken Cancelled = new(canceled: true);

    private readonly IGauge _suspects = metrics.Gauge(WhipMetrics.BrokerPeersSuspect);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, PeerLink> _links = [];
    private readonly Dictionary<string, List<PeerWatch>> _watches = [];
    private IReadOnlyList<Peer> _all = [];

    public IReadOnlyList<Peer> All => Volatile.Read(ref _all);

    /// <summary>Fires when the broker becomes suspect; cancelled already while it is, or is none we know.</summary>
    public CancellationToken Suspected(string brokerId)
    {
        lock (_lock)
        {
            return _links.TryGetValue(brokerId, out var link) ? link.Suspected : Cancelled;
        }
    }

    /// <summary>Follows the members until cancelled.</summary>
    public async Task RunAsync(IClusterMembership membership, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var members = membership.Members;
                await FollowAsync([.. members.Where(member => member.Id != self.BrokerId)]);
                await membership.WaitForChangeAsync(members, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await FollowAsync([]);
        }
    }

    public Task<NameReport?> LookupAsync(string brokerId, NameQuery query, CancellationToken cancellationToken)
    {
        PeerLink? link;
        lock (_lock)
        {
            link = _links.GetValueOrDefault(brokerId);
        }

        return link?.LookupAsync(query, cancellationToken) ?? Task.FromResult<NameReport?>(null);
    }

    public IDisposable Watch(string name, Action<string> announced)
    {
        var watch = new PeerWatch(announced, watch => Remove(name, watch));
        lock (_lock)
        {
            if (!_watches.TryGetValue(name, out var watches))
            {
                if (_watches.Count >= PeerSession.MaxWatches)
                {
                    // More names than dials may wait for: this one has to find its broker by asking.
                    return watch;
                }

                _watches[name] = watches = [];
            }

            watches.Add(watch);

            // Also for a name that is watched already: a broker that holds it says so again.
            foreach (var link in _links.Values)
            {
                link.Watch(name);
            }
        }

        return watch;
    }

    private void Remove(string name, PeerWatch watch)
    {
        lock (_lock)
        {
            if (!_watches.TryGetValue(name, out var watches) || !watches.Remove(watch) || watches.Count > 0)
            {
                return;
            }

            _watches.Remove(name);
            foreach (var link in _links.Values)
            {
                link.Unwatch(name);
            }
        }
    }

    private void Announced(string name, string brokerId)
    {
        PeerWatch[] watches;
        lock (_lock)
        {
            watches = _watches.TryGetValue(name, out var found) ? [.. found] : [];
        }

        foreach (var watch in watches)
        {
            watch.Announced(brokerId);
        }
    }

    private async Task FollowAsync(IReadOnlyList<BrokerMember> others)
    {
        List<PeerLink> ended = [];
        List<(PeerLink Link, BrokerMember Told)> kept = [];
        lock (_lock)
        {
            foreach (var (id, link) in _links.ToList())
            {
                if (others.FirstOrDefault(other => other.Id == id) is { } told && IsSameStart(told, link.Peer.Member))
                {
                    kept.Add((link, told));
                }
                else
                {
                    _links.Remove(id);
                    ended.Add(link);
                }
            }

            foreach (var member in others.Where(other => !_links.ContainsKey(other.Id)))
            {
                _links[member.Id] = Start(member);
            }
        }

        foreach (var (link, told) in kept)
        {
            link.Update(told);
        }

        Publish();
        foreach (var link in ended)
        {
            await link.DisposeAsync();
        }
    }

    private static bool IsSameStart(BrokerMember told, BrokerMember known) =>
        told.Incarnation == known.Incarnation && told.ExternalGrpc == known.ExternalGrpc;

    private PeerLink Start(BrokerMember member)
    {
        var link = new PeerLink(member, self, Publish, name => Announced(name, member.Id), logger, time);
        foreach (var name in _watches.Keys)
        {
            link.Watch(name);
        }

        link.Start();
        return link;
    }

    private void Publish()
    {
        lock (_lock)
        {
            Peer[] all = [.. _links.Values.Select(link => link.Peer).OrderBy(peer => peer.Id, StringComparer.Ordinal)];
            if (!all.SequenceEqual(_all))
            {
                Volatile.Write(ref _all, all);
                _suspects.Set(all.Count(peer => peer.IsSuspect));
            }
        }
    }
}
