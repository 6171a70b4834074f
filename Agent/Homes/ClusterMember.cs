namespace Whip.Agent.Homes;

/// <summary>A broker that an agent was told of.</summary>
internal sealed record ClusterMember(BrokerClaim Claim, BrokerEndpoint Endpoint, string Zone)
{
    public override string ToString() => $"{Claim.BrokerId} at {Endpoint}";
}
