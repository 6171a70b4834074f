using Whip.Protocol.Grpc;
using Whip.Registry;
using Whip.Registry.Peers;
using Whip.Registry.Routes;

namespace Whip.Broker.Peers;

/// <summary>
/// The names one link watches. A watch of the registry fires once and is made anew when its announcement leaves: however many streams
/// register until then it is one announcement, and what the peer asks when it has it sees them all. Owner: the lock.
/// </summary>
internal sealed class AnsweredWatches(LocalRoutes routes, Action<string> announce) : IDisposable
{
    // Null: the registry has no room for it now, and is asked again.
    private readonly Dictionary<string, IRouteWatch?> _byName = [];
    private readonly Lock _lock = new();
    private int _unarmed;

    /// <summary>Watches, and announces at once what is held already. A name that is watched is looked at again.</summary>
    public void Add(string name)
    {
        lock (_lock)
        {
            if (!_byName.ContainsKey(name))
            {
                if (_byName.Count >= PeerSession.MaxWatches)
                {
                    throw new GrpcStatusException(new GrpcStatus(GrpcStatusCode.ResourceExhausted, $"more than {PeerSession.MaxWatches} names watched"));
                }

                Arm(name);
            }
        }

        AnnounceIfHeld(name);
    }

    public void Remove(string name)
    {
        lock (_lock)
        {
            if (_byName.Remove(name, out var watch))
            {
                _unarmed -= watch is null ? 1 : 0;
                watch?.Dispose();
            }
        }
    }

    /// <summary>The announcement of this name is about to leave.</summary>
    public void Rearm(string name)
    {
        lock (_lock)
        {
            if (_byName.GetValueOrDefault(name) is { Announced.IsCompleted: true })
            {
                Arm(name);
            }
        }
    }

    /// <summary>Tries again what the registry had no room for.</summary>
    public void Arm()
    {
        List<string> armed = [];
        lock (_lock)
        {
            if (_unarmed == 0)
            {
                return;
            }

            foreach (var name in _byName.Where(entry => entry.Value is null).Select(entry => entry.Key).ToList())
            {
                _unarmed--;
                Arm(name);
                armed.Add(name);
            }
        }

        armed.ForEach(AnnounceIfHeld);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var watch in _byName.Values)
            {
                watch?.Dispose();
            }

            _byName.Clear();
        }
    }

    private void Arm(string name)
    {
        var watch = _byName[name] = routes.Watch(name);
        if (watch is null)
        {
            _unarmed++;
        }
        else
        {
            // Never inline: the registry's tasks continue on the pool.
            watch.Announced.GetAwaiter().UnsafeOnCompleted(() => Fired(name, watch));
        }
    }

    private void Fired(string name, IRouteWatch fired)
    {
        lock (_lock)
        {
            if (_byName.GetValueOrDefault(name) != fired)
            {
                return;
            }
        }

        announce(name);
    }

    private void AnnounceIfHeld(string name)
    {
        if (routes.Report(new NameQuery(name, 0)) is { } report && (report.IsInstance || report.IsDomain))
        {
            announce(name);
        }
    }
}
