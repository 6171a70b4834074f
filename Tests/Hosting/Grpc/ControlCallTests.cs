using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Hosting.Grpc;
using Whip.Hosting.Listening;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Hosting.Grpc;

public sealed class ControlCallTests
{
    private static readonly TimeSpan Due = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Messages_pass_both_ways_and_the_status_ends_the_call(bool tls)
    {
        var service = new RecordingService();
        await using var server = await ControlServer.StartAsync(
            new ControlServerOptions(new IPEndPoint(IPAddress.Loopback, 0), tls ? TestCertificates.Shared.BrokerIdentity : null, new UnauthenticatedGate(1000)), service, NullLoggerFactory.Instance, CancellationToken.None);
        var options = new ControlCallOptions(server.LocalEndPoint, $"localhost:{server.LocalEndPoint.Port}", tls ? TestCertificates.Shared.ClientIdentity("a.b") : null, Due);
        await using var call = await ControlCall.OpenAsync(options, CancellationToken.None).WaitAsync(Due);
        var served = await service.NextAsync();

        await call.WriteAsync(new RequestStream { Register = new Register { Hostname = "a", Domain = "b" } }, CancellationToken.None);
        Assert.Equal("a", (await served.ReadAsync())!.Register.Hostname);
        Assert.Equal(tls, served.Stream.Peer?.Covers("a.b") ?? false);
        await served.WriteAsync(new ResponseStream { Ping = new Ping { Sequence = 7 } });
        Assert.Equal(7ul, (await call.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Due))!.Ping.Sequence);
        served.End.SetResult(new GrpcStatus(GrpcStatusCode.InvalidArgument, "100% ü\n"));
        var end = await Assert.ThrowsAsync<GrpcStatusException>(() => call.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Due));
        Assert.Equal(new GrpcStatus(GrpcStatusCode.InvalidArgument, "100% ü?"), end.Status);
    }
}
