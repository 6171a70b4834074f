using System.Net;
using Whip.Broker.Peers;
using Whip.Protocol.Tls;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Broker.Peers;

public sealed class ClusterCredentialsTests
{
    private static readonly IPEndPoint Here = new(IPAddress.Loopback, 1);
    private static readonly IPEndPoint Away = new(IPAddress.Parse("192.0.2.1"), 1);

    [Fact]
    public void Under_TLS_the_certificate_tells_who_forwards()
    {
        var b2 = new ClusterCredentials("c1", "b2", TestCertificates.Shared.MemberIdentity("c1", "b2"), secret: "unused");
        var b1 = new ClusterCredentials("c1", "b1", TestCertificates.Shared.MemberIdentity("c1", "b1"), secret: "unused");
        Assert.Equal("", b1.ForwardProof("b2", "i1.d:80", "n"));
        Assert.True(b2.IsForwardedBy(Peer("c1", "b1"), Away, "b1", "", "i1.d:80", "n"));
        Assert.False(b2.IsForwardedBy(Peer("c1", "b3"), Away, "b1", "", "i1.d:80", "n"));
        Assert.False(b2.IsForwardedBy(Peer("c2", "b1"), Away, "b1", "", "i1.d:80", "n"));
        Assert.False(b2.IsForwardedBy(TestCertificates.Shared.ClientIdentity("b1").Names, Here, "b1", "", "i1.d:80", "n"));
        Assert.False(b2.IsForwardedBy(null, Here, "b1", "", "i1.d:80", "n"));

        static PeerIdentity Peer(string clusterId, string brokerId) => TestCertificates.Shared.MemberIdentity(clusterId, brokerId).Names;
    }

    [Fact]
    public void Without_TLS_the_secret_tells_who_forwards_what_to_whom()
    {
        var b1 = new ClusterCredentials("c1", "b1", null, "s");
        var b2 = new ClusterCredentials("c1", "b2", null, "s");
        var proof = b1.ForwardProof("b2", "i1.d:80", "n");
        Assert.True(b2.IsForwardedBy(null, Away, "b1", proof, "i1.d:80", "n"));
        Assert.False(b2.IsForwardedBy(null, Here, "b3", proof, "i1.d:80", "n"));
        Assert.False(b2.IsForwardedBy(null, Here, "b1", proof, "i2.d:80", "n"));
        Assert.False(b2.IsForwardedBy(null, Here, "b1", proof, "i1.d:80", "m"));
        Assert.False(b2.IsForwardedBy(null, Here, "b1", null, "i1.d:80", "n"));
        Assert.False(b1.IsForwardedBy(null, Here, "b1", proof, "i1.d:80", "n"));
        Assert.False(new ClusterCredentials("c1", "b2", null, "t").IsForwardedBy(null, Here, "b1", proof, "i1.d:80", "n"));
        Assert.False(new ClusterCredentials("c2", "b2", null, "s").IsForwardedBy(null, Here, "b1", proof, "i1.d:80", "n"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Without_TLS_and_secret_only_this_machine_forwards(string? secret)
    {
        var b2 = new ClusterCredentials("c1", "b2", null, secret);
        Assert.Equal("", b2.ForwardProof("b1", "i1.d:80", ""));
        Assert.True(b2.IsForwardedBy(null, Here, "b1", null, "i1.d:80", ""));
        Assert.True(b2.IsForwardedBy(null, new IPEndPoint(IPAddress.IPv6Loopback, 1), "b1", null, "i1.d:80", ""));
        Assert.False(b2.IsForwardedBy(null, Away, "b1", null, "i1.d:80", ""));
        Assert.NotNull(b2.Problem(null, Away, "b1"));
    }
}
