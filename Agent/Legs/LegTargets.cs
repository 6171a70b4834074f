using Whip.Agent.Homes;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;
using Whip.Protocol.Via;

namespace Whip.Agent.Legs;

/// <summary>
/// Where a broker may have legs opened to: its own address, the hosts the agent was given as endpoints, and the listeners it named.
/// An original server names none, and may have a leg opened to any host. A broker that was found by a name, which may lead to another the next time,
/// may have them opened to the listeners it named alone.
/// </summary>
internal sealed class LegTargets(HomeAddress home, AgentContext context)
{
    /// <summary>A broker has a handful of rendezvous listeners.</summary>
    private const int MaxListeners = 64;

    private volatile IReadOnlySet<HostPort>? _listeners;
    private volatile PeerIdentity? _asker;

    /// <summary>No name can be looked up here, so that the proxy does it.</summary>
    public bool AreNames => home.IsName;

    /// <summary>The broker that asks for legs, by its certificate; null when there is none.</summary>
    public void AskedBy(PeerIdentity? broker) => _asker = broker;

    /// <summary>Which broker it is that a leg has met, if it is not the one that asked. Brokers of no cluster cannot be told apart.</summary>
    public string? Foreign(PeerIdentity? met)
    {
        var wanted = _asker?.Uris.FirstOrDefault(BrokerUri.IsOne);
        return wanted is null || met is null || met.IsBroker(wanted) ? null : $"{met.Uris.FirstOrDefault(BrokerUri.IsOne) ?? $"{met}"}, not {wanted}";
    }

    /// <summary>The listeners a broker of ours announced on registration; from then on it may name no other.</summary>
    public void AllowOnly(IEnumerable<string> endpoints)
    {
        var listeners = new HashSet<HostPort>();
        foreach (var text in endpoints.Take(MaxListeners))
        {
            if (HostPort.TryParse(text, out var listener))
            {
                listeners.Add(listener);
            }
        }

        _listeners = listeners;
    }

    public bool Allows(HostPort leg)
    {
        if (!home.IsName && (IsOwnAddress(leg) || context.Settings.Endpoints.Any(e => e.Host == leg.Host)))
        {
            return true;
        }

        if (_listeners is { } listeners)
        {
            return listeners.Contains(leg);
        }

        context.NoteUnannounced(home, leg.Host);
        return true;
    }

    /// <summary>The address a leg must be pinned to: the name of the stream's endpoint may lead to other brokers, which do not know the dial.</summary>
    public HostPort? Pinned(HostPort leg) =>
        !home.IsName && (IsOwnAddress(leg) || home.Endpoint.Host == leg.Host) ? HostPort.Of(home.Address.Host, leg.Port) : null;

    /// <summary>The proxy that leads there: to the broker itself as its control stream goes.</summary>
    public HttpProxy? Via(HostPort leg) => context.Settings.Via.To(IsOwnAddress(leg) ? home.Endpoint : leg);

    private bool IsOwnAddress(HostPort leg) => leg.Host == home.Address.Host;
}
