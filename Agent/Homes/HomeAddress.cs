using System.Net;
using Whip.Protocol.Names;

namespace Whip.Agent.Homes;

/// <summary>
/// One address an endpoint resolved to: streams are pinned to the address, TLS checks the endpoint's host. With a claim, that broker
/// must answer there; an address that the user named has no claim.
/// </summary>
internal sealed record HomeAddress(IPEndPoint Address, HostPort Endpoint, BrokerClaim? Claim = null)
{
    public override string ToString() =>
        Endpoint.Host == Address.Address.ToString() ? $"{Endpoint}" : $"{Endpoint} ({Address.Address})";
}

/// <summary>The broker that another broker says is at an address. Under TLS the address must prove it before anything is sent to it.</summary>
internal sealed record BrokerClaim(string ClusterId, string BrokerId)
{
    public override string ToString() => BrokerUri.Format(ClusterId, BrokerId);
}
