using System.Net;
using Whip.Agent.Homes;
using Whip.Protocol.Names;

namespace Whip.Tests.Agent.Homes;

public sealed class CandidateListTests
{
    private static readonly Dictionary<string, string> Zones = new() { ["b1"] = "z1", ["b2"] = "z2" };
    private static readonly HomeAddress Balancer = Configured("10.0.0.100");
    private static readonly HomeAddress[] Members = [Member("b1", "10.0.0.1"), Member("b2", "10.0.0.2")];

    [Fact]
    public void Without_members_an_address_is_ranked_by_itself_whoever_answers_there()
    {
        var known = new Dictionary<HostPort, string> { [Balancer.Address] = "b9" };
        var candidate = Assert.Single(CandidateList.Build([Balancer], [], new Dictionary<string, string>(), known));
        Assert.Equal(("10.0.0.100:1", "b9", ""), (candidate.Key, candidate.Broker, candidate.Zone));
    }

    [Fact]
    public void A_balancers_address_is_that_of_the_broker_that_answered()
    {
        var known = new Dictionary<HostPort, string> { [Balancer.Address] = "b2" };
        var candidates = CandidateList.Build([Balancer], Members, Zones, known);
        Assert.Equal(["b2 b2 z2 False", "b1 b1 z1 True", "b2 b2 z2 True"], candidates.Select(c => $"{c.Broker} {c.Key} {c.Zone} {c.IsDirect}"));
    }

    [Fact]
    public void A_configured_address_stays_the_users_own_whatever_members_say_is_there()
    {
        var candidates = CandidateList.Build(
            [Configured("10.0.0.1")], [Member("b1", "10.0.0.1"), Member("b1", "10.0.0.3")], Zones, new Dictionary<HostPort, string>());
        Assert.Null(candidates[0].Home.Claim);
        Assert.Equal("b1", candidates[0].Key);
        Assert.NotEqual(candidates[0].Broker, candidates[1].Broker);
    }

    [Fact]
    public void There_are_never_too_many_and_configured_ones_come_first()
    {
        var flood = Enumerable.Range(0, 5000).Select(i => Member($"b{i}", $"10.1.{i >> 8}.{i & 255}")).ToList();
        var candidates = CandidateList.Build([Balancer], flood, Zones, new Dictionary<HostPort, string>());
        Assert.Equal(HomeChoice.MaxAddresses, candidates.Count);
        Assert.Equal(Balancer, candidates[0].Home);
        Assert.Equal(HomeChoice.MaxAddresses, CandidateList.Build(flood, [], Zones, new Dictionary<HostPort, string>()).Count);
    }

    private static HomeAddress Configured(string address) => new(IPEndPoint.Parse($"{address}:1"), HostPort.Of("brokers.example", 1));

    private static HomeAddress Member(string id, string address) => Configured(address) with { Claim = new BrokerClaim("c", id) };
}
