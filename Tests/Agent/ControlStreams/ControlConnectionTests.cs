using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Whip.Agent.ControlStreams;
using Whip.Protocol.ControlStreams;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;
using Whip.Tests.Broker.Listening;

namespace Whip.Tests.Agent.ControlStreams;

/// <summary>Our connection at our control listener, and where there is none.</summary>
public sealed class ControlConnectionTests
{
    [Theory, PlainAndTls]
    public async Task Dispose_is_seen_as_the_end_and_closes_the_connection(bool tls)
    {
        await using var host = await ControlHost.StartAsync(tls);
        var call = await host.OpenAsync();
        var served = await host.Service.NextAsync();
        Assert.Equal(1, host.Gate.Count);
        await call.WriteAsync(new RequestStream());
        await served.ReadAsync();
        call.Dispose();
        call.Dispose();
        await served.UntilAbortedAsync();
        await Patience.UntilAsync(() => host.Gate.Count == 0, "an empty gate");
    }

    [Theory]
    [InlineData("other CA")]
    [InlineData("expired")]
    [InlineData("wrong role")]
    [InlineData("wrong name")]
    public async Task A_broker_that_is_not_to_be_trusted_is_refused(string fault)
    {
        var identity = fault switch
        {
            "other CA" => TestCertificates.Shared.OtherCaBrokerIdentity,
            "expired" => TestCertificates.Shared.ExpiredBrokerIdentity,
            "wrong role" => TestCertificates.Shared.WrongRoleBrokerIdentity,
            _ => TestCertificates.Shared.BrokerIdentity,
        };
        await using var host = await ControlHost.StartAsync(identity);
        HostPort? broker = fault == "wrong name" ? HostPort.Of("broker.example", 1) : null;
        var refused = await Assert.ThrowsAsync<RpcException>(() => host.OpenAsync(TestCertificates.Shared.ClientIdentity("a.b"), broker));
        Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
        Assert.NotEqual("", refused.Status.Detail);
        Assert.Contains("a peer that refuses the certificate of this broker may end so", (await host.Logs.WaitForAsync("Refused")).Message);
    }

    [Theory, PlainAndTls]
    public async Task Plain_at_TLS_is_told_so_and_TLS_at_plain_is_Unavailable(bool serverTls)
    {
        await using var host = await ControlHost.StartAsync(serverTls);
        var failed = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            using var call = await host.OpenAsync(serverTls ? null : TestCertificates.Shared.ClientIdentity("a.b"));
            await call.ReadAsync();
        });
        var expected = serverTls ? StatusCode.FailedPrecondition : StatusCode.Unavailable;
        Assert.Equal(expected, StreamEnd.Of(failed, unanswered: null).Code);
        await host.Logs.WaitForAsync("Refused");
    }

    [Fact]
    public async Task Nobody_there_is_Unavailable()
    {
        using var unused = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unused.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var failed = await Assert.ThrowsAsync<RpcException>(() => ControlCall.OpenAsync((IPEndPoint)unused.LocalEndPoint!, identity: null));
        Assert.Equal(StatusCode.Unavailable, failed.StatusCode);
        Assert.Contains("refused", failed.Status.Detail);
    }

    [Fact]
    public async Task A_server_that_says_nothing_costs_5_seconds()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var opening = OpenTlsAsync(silent, time, CancellationToken.None);
        using var accepted = await AcceptHelloAsync(silent);
        time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(opening.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));
        var failed = await Assert.ThrowsAsync<RpcException>(() => opening.WaitAsync(Patience.Long));
        Assert.Equal(new Status(StatusCode.Unavailable, "no connection within 5 s"), failed.Status);
    }

    [Fact]
    public async Task A_cancelled_open_closes_its_socket()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var cancel = new CancellationTokenSource();
        var opening = OpenTlsAsync(silent, TimeProvider.System, cancel.Token);
        using var accepted = await AcceptHelloAsync(silent);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening.WaitAsync(Patience.Long));
        await accepted.GetStream().CopyToAsync(Stream.Null).WaitAsync(Patience.Long);
    }

    private static Task<ControlConnection> OpenTlsAsync(TcpListener listener, TimeProvider time, CancellationToken cancellationToken)
    {
        var address = (IPEndPoint)listener.LocalEndpoint;
        var broker = HostPort.Of("localhost", address.Port);
        return ControlConnection.OpenAsync(HostPort.Of(address), broker, TestCertificates.Shared.ClientIdentity("a.b"), time, cancellationToken);
    }

    private static async Task<TcpClient> AcceptHelloAsync(TcpListener listener)
    {
        var accepted = await listener.AcceptTcpClientAsync().WaitAsync(Patience.Long);
        await accepted.GetStream().ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(Patience.Long);
        return accepted;
    }
}
