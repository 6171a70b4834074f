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

    private volatile IReadOnlyList<(string Host, int Port)>? _listeners;

    /// <summary>What a broker of ours said on its registration; from then on it may name no other.</summary>
    public void AllowOnly(IEnumerable<string> endpoints)
    {
        var listeners = new List<(string, int)>();
        foreach (var text in endpoints.Take(MaxListeners))
        {
            if (HostPort.TryParse(text, out var host, out var port))
            {
                listeners.Add((host, port));
            }
        }

        _listeners = listeners;
    }

    public bool Allows(string host, int port)
    {
        if (!HostName.IsValid(host) || port is < 1 or > 65535)
        {
            return false;
        }

        if (IsOwnAddress(host) || context.Settings.Endpoints.Any(e => HostName.AreEqual(e.Host, host)))
        {
            return true;
        }

        if (_listeners is { } listeners)
        {
            return listeners.Any(l => l.Port == port && HostName.AreEqual(l.Host, host));
        }

        context.NoteUnannounced(home, host);
        return true;
    }

    /// <summary>The address a leg must be pinned to: the name of the control stream's endpoint may lead to other brokers, which do not know the dial.</summary>
    public IPAddress? Pinned(string host) =>
        IsOwnAddress(host) || HostName.AreEqual(home.Endpoint.Host, host) ? home.Address.Address : null;

    private bool IsOwnAddress(string host) => IPAddress.TryParse(host, out var address) && address.Equals(home.Address.Address);
}
