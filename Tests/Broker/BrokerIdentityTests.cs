using System.Net;
using Whip.Broker;
using Whip.Protocol.Names;
using Whip.Protocol.Options;

namespace Whip.Tests.Broker;

public sealed class BrokerIdentityTests
{
    private static readonly IPEndPoint Bound = new(IPAddress.Loopback, 8000);

    [Theory]
    [InlineData("Whip", "b1", $"ClusterId \"Whip\": not a cluster's id; try {BrokerUri.ClusterIdHint}")]
    [InlineData("whip", "b 1", $"BrokerId \"b 1\": not a broker's id; try {BrokerUri.BrokerIdHint}")]
    [InlineData("whip", "b\n1", $"BrokerId \"b?1\": not a broker's id; try {BrokerUri.BrokerIdHint}")]
    public void An_id_that_no_certificate_can_name_is_refused(string clusterId, string brokerId, string problem)
    {
        var options = new WhipBrokerOptions { ClusterId = clusterId, BrokerId = brokerId, Tls = { Enabled = false } };
        Assert.Equal(problem, Assert.Throws<WhipOptionException>(() => new WhipBroker(options)).Message);
    }

    [Theory]
    [InlineData("whip", "b2", "BrokerId \"b2\": the certificate (", "does not name whip://whip/broker/b2; try ")]
    [InlineData("other", "b1", "BrokerId \"b1\": the certificate (", "does not name whip://other/broker/b1; try ")]
    [InlineData("other", null, "ClusterId \"other\": the certificate (", "names no broker of this cluster; try ")]
    public void What_the_certificate_does_not_say_is_refused_in_a_cluster(string clusterId, string? brokerId, string start, string problem)
    {
        var options = new WhipBrokerOptions { Cluster = ClusterEngine.Orleans, ClusterId = clusterId, BrokerId = brokerId };
        var identity = TestCertificates.Shared.MemberIdentity("whip", "b1");
        var message = Assert.Throws<WhipOptionException>(() => BrokerIdentity.Create(options, identity, Bound)).Message;
        Assert.StartsWith(start, message);
        Assert.Contains(problem, message);
    }

    [Fact]
    public void A_broker_without_an_id_draws_one()
    {
        var id = BrokerIdentity.Create(new WhipBrokerOptions(), null, Bound).BrokerId;
        Assert.True(BrokerUri.IsBrokerId(id), id);
    }
}
