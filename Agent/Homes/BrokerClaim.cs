using Whip.Protocol.Names;

namespace Whip.Agent.Homes;

/// <summary>The broker that another broker says is at an address. Under TLS the address must prove it before it is told anything.</summary>
internal sealed record BrokerClaim(string ClusterId, string BrokerId)
{
    public override string ToString() => BrokerUri.Format(ClusterId, BrokerId);
}
