using System.Net;
using Whip.Agent.Homes;
using Whip.Protocol.Names;

namespace Whip.Agent.Legs;

/// <summary>
/// Where a broker may have legs opened to: its own address, the hosts the agent was given as endpoints, and the listeners it named.
/// An original server names none, and may have a leg opened to any host.
/// </summary>
internal sealed class LegTargets(HomeAddress home, AgentContext context)
{
    /// <summary>A broker has a handful of rendezvous listeners.</summary>
    private const int MaxListeners = 64;

    private volatile IReadOnlySet<HostPort>? _listeners;

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
        if (IsOwnAddress(leg) || context.Settings.Endpoints.Any(e => e.Host == leg.Host))
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
    public IPAddress? Pinned(HostPort leg) => IsOwnAddress(leg) || home.Endpoint.Host == leg.Host ? home.Address.Address : null;

    private bool IsOwnAddress(HostPort leg) => leg.Host == home.Address.Address.ToString();
}
