using System.Net;
using Whip.Protocol.Names;

namespace Whip.Agent.Homes;

/// <summary>
/// One address an endpoint resolved to: streams are pinned to the address, TLS checks the endpoint's host. With a claim, that broker
/// must answer there; an address that the user named has no claim. An endpoint that only its proxy can look up has itself for an address.
/// </summary>
internal sealed record HomeAddress(HostPort Address, HostPort Endpoint, BrokerClaim? Claim = null)
{
    public HomeAddress(IPEndPoint address, HostPort endpoint, BrokerClaim? claim = null)
        : this(HostPort.Of(address), endpoint, claim)
    {
    }

    /// <summary>It is a name, which may lead to one broker now and to another the next time.</summary>
    public bool IsName { get; } = !IPAddress.TryParse(Address.Host, out _);

    public override string ToString() => Endpoint.Host == Address.Host ? $"{Endpoint}" : $"{Endpoint} ({Address.Host})";
}

/// <summary>The broker that another broker says is at an address. Under TLS the address must prove it before anything is sent to it.</summary>
internal sealed record BrokerClaim(string ClusterId, string BrokerId)
{
    public override string ToString() => BrokerUri.Format(ClusterId, BrokerId);
}
