using Whip.Agent.Homes;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;
using ClusterMember = Whip.Agent.Homes.ClusterMember;

namespace Whip.Tests.Agent.Homes;

public sealed class MemberReaderTests
{
    [Fact]
    public void A_member_is_a_broker_id_an_address_and_a_zone()
    {
        var read = MemberReader.Read(new Members { ClusterId = "c", Members_ = { Of("b1", "b1.example:50051", "z\n1"), Of("b2", "[fd00::1]:1") } });
        Assert.Equal(
            [new(new("c", "b1"), HostPort.Of("b1.example", 50051), "z?1"), new ClusterMember(new("c", "b2"), HostPort.Of("fd00::1", 1), "")], read);
    }

    public static TheoryData<string, string> Hostile => new()
    {
        { "", "10.0.0.1:1" },
        { "b 1", "10.0.0.1:1" },
        { "b\n1", "10.0.0.1:1" },
        { "b/../1", "10.0.0.1:1" },
        { "b\u00e9", "10.0.0.1:1" },
        { new string('b', 129), "10.0.0.1:1" },
        { "b1", "" },
        { "b1", "10.0.0.1" },
        { "b1", ":50051" },
        { "b1", "10.0.0.1:0" },
        { "b1", "10.0.0.1:65536" },
        { "b1", "0.0.0.0:1" },
        { "b1", "[::]:1" },
        { "b1", "b\n1:1" },
        { "b1", "user@host:1" },
        { "b1", "host/path:1" },
        { "b1", $"{new string('a', 300)}:1" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void What_is_not_valid_is_skipped(string id, string grpc)
    {
        var read = MemberReader.Read(new Members { ClusterId = "c", Members_ = { Of(id, grpc), Of("good", "10.0.0.2:1") } });
        Assert.Equal("good", Assert.Single(read).Claim.BrokerId);
    }

    [Theory]
    [InlineData("")]
    [InlineData("c/broker/b1")]
    [InlineData("c d")]
    public void A_list_without_a_valid_cluster_is_empty(string cluster) =>
        Assert.Empty(MemberReader.Read(new Members { ClusterId = cluster, Members_ = { Of("b1", "10.0.0.1:1") } }));

    [Fact]
    public void A_broker_counts_once_and_not_too_many_count()
    {
        var twice = Enumerable.Range(0, 300).SelectMany(i => new[] { Of($"b{i}", $"10.0.0.1:{i + 1}"), Of($"b{i}", "10.0.0.2:1") });
        var read = MemberReader.Read(new Members { ClusterId = "c", Members_ = { twice } });
        Assert.Equal(HomeChoice.MaxAddresses, read.Count);
        Assert.All(read, m => Assert.Equal("10.0.0.1", m.Endpoint.Host));
    }

    private static Member Of(string id, string grpc, string zone = "") => new() { BrokerId = id, Grpc = grpc, Zone = zone };
}
