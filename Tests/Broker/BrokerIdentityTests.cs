using System.Net;
using Whip.Broker;
using Whip.Hosting.Flags;
using Whip.Protocol.Names;
using Xunit;

namespace Whip.Tests.Broker;

public sealed class BrokerIdentityTests
{
    private static readonly IPEndPoint Bound = new(IPAddress.Loopback, 8000);

    [Theory]
    [InlineData("Whip", "b1", $"--cluster-id \"Whip\": not a cluster's id; try {BrokerUri.ClusterIdHint}")]
    [InlineData("whip", "b 1", $"--broker-id \"b 1\": not a broker's id; try {BrokerUri.BrokerIdHint}")]
    [InlineData("whip", "b\n1", $"--broker-id \"b?1\": not a broker's id; try {BrokerUri.BrokerIdHint}")]
    public void An_id_that_no_certificate_can_name_is_refused(string clusterId, string brokerId, string problem)
    {
        var options = new WhipBrokerOptions { ClusterId = clusterId, BrokerId = brokerId };
        Assert.Equal(problem, Assert.Throws<StartupException>(() => BrokerIdentity.Create(options, null, Bound)).Message);
    }

    [Fact]
    public void A_broker_without_an_id_draws_one()
    {
        var id = BrokerIdentity.Create(new WhipBrokerOptions(), null, Bound).BrokerId;
        Assert.True(BrokerUri.IsBrokerId(id), id);
    }
}
