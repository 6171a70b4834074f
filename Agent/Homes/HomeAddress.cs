using System.Net;

namespace Whip.Agent.Homes;

/// <summary>
/// One address an endpoint resolved to: streams are pinned to the address, TLS checks the endpoint's host. With a claim, that broker
/// must answer there; there is none where the user's own word led.
/// </summary>
internal sealed record HomeAddress(IPEndPoint Address, BrokerEndpoint Endpoint, BrokerClaim? Claim = null)
{
    public override string ToString() =>
        Endpoint.Host == Address.Address.ToString() ? Endpoint.Authority : $"{Endpoint.Authority} ({Address.Address})";
}
