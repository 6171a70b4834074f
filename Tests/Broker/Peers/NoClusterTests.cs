using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Broker.Peers;

public sealed class NoClusterTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_broker_without_a_cluster_has_no_links(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        var options = new ControlCallOptions(broker.Broker.GrpcEndPoint!, "127.0.0.1:1", broker.Client("b2"), Patience.Long);
        await using var call = await ControlCall<PeerRequest, PeerReply>.OpenAsync(GrpcMethods.Link, options, default);
        var end = await Assert.ThrowsAsync<GrpcStatusException>(() => call.ReadAsync(default).AsTask().WaitAsync(Patience.Long));
        Assert.Equal(GrpcStatusCode.Unimplemented, end.Status.Code);
    }
}
