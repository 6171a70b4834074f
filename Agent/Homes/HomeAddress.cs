using System.Net;

namespace Whip.Agent.Homes;

/// <summary>One address an endpoint resolved to: streams are pinned to the address, TLS checks the endpoint's host.</summary>
internal sealed record HomeAddress(IPEndPoint Address, BrokerEndpoint Endpoint)
{
    public override string ToString() =>
        Endpoint.Host == Address.Address.ToString() ? Endpoint.Authority : $"{Endpoint.Authority} ({Address.Address})";
}
