using System.Net;
using System.Net.Sockets;
using Whip.Hosting.Grpc;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Hosting.Grpc;

/// <summary>Our call at our server.</summary>
public sealed class ControlCallTests
{
    private static readonly ResponseStream Large = new() { Members = new Members { Members_ = { new Member { BrokerId = new string('x', 60_000) } } } };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Messages_pass_both_ways_and_the_status_ends_the_call(bool tls)
    {
        await using var host = await ControlHost.StartAsync(tls);
        await using var call = await host.OpenAsync();
        var served = await host.Service.NextAsync();
        Assert.Equal(tls, served.Stream.Peer?.Covers("instance1.testdom") ?? false);

        await WriteAsync(call, new RequestStream { Register = new Register { Hostname = "h" } });
        Assert.Equal("h", (await served.ReadAsync())!.Register.Hostname);
        await served.WriteAsync(new ResponseStream { Ping = new Ping { Sequence = 7 } });
        Assert.Equal(7ul, (await ReadAsync(call))!.Ping.Sequence);
        served.End.SetResult(new GrpcStatus(GrpcStatusCode.InvalidArgument, "100% ü\n"));
        Assert.Equal(new GrpcStatus(GrpcStatusCode.InvalidArgument, "100% ü?"), await EndAsync(call));
        await Assert.ThrowsAsync<GrpcStatusException>(() => WriteAsync(call, new RequestStream()));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => served.WriteAsync(Large));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Half_close_is_seen_and_Ok_is_the_end(bool tls)
    {
        await using var host = await ControlHost.StartAsync(tls);
        await using var call = await host.OpenAsync();
        var served = await host.Service.NextAsync();
        await call.CompleteAsync();
        Assert.Null(await served.ReadAsync());
        await served.WriteAsync(Large);
        served.End.SetResult(GrpcStatus.Ok);
        Assert.Equal(Large, await ReadAsync(call));
        Assert.Null(await ReadAsync(call));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Dispose_is_seen_as_the_end_and_closes_the_connection(bool tls)
    {
        await using var host = await ControlHost.StartAsync(tls);
        var call = await host.OpenAsync();
        var served = await host.Service.NextAsync();
        Assert.Equal(1, host.Gate.Count);
        await WriteAsync(call, new RequestStream());
        await served.ReadAsync();
        var reading = served.ReadAsync();
        await call.DisposeAsync().AsTask().WaitAsync(Patience.Long);
        await call.DisposeAsync().AsTask().WaitAsync(Patience.Long);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        await served.UntilAbortedAsync();
        await Patience.UntilAsync(() => host.Gate.Count == 0, "an empty gate");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_peer_that_does_not_read_holds_up_neither_others_nor_stop(bool tls)
    {
        var host = await ControlHost.StartAsync(tls);
        await using var slow = await host.OpenAsync();
        var toSlow = await host.Service.NextAsync();
        var writing = WriteManyAsync(toSlow);
        await using var leaving = await host.OpenAsync();
        var toLeaving = WriteManyAsync(await host.Service.NextAsync());

        await using var other = await host.OpenAsync();
        var toOther = await host.Service.NextAsync();
        await toOther.WriteAsync(Large);
        Assert.Equal(Large, await ReadAsync(other));
        Assert.False(writing.IsCompleted || toLeaving.IsCompleted);

        await leaving.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => toLeaving.WaitAsync(Patience.Long));
        Assert.False(writing.IsCompleted);
        await host.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing.WaitAsync(Patience.Long));
        Assert.Equal(GrpcStatusCode.Unavailable, (await EndAsync(other)).Code);
    }

    [Fact]
    public async Task A_cancelled_read_leaves_the_call_whole()
    {
        await using var host = await ControlHost.StartAsync(tls: false);
        await using var call = await host.OpenAsync();
        var served = await host.Service.NextAsync();
        using var cancel = new CancellationTokenSource();
        var reading = call.ReadAsync(cancel.Token).AsTask();
        var servedReading = served.Stream.ReadAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(Patience.Long));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => servedReading.WaitAsync(Patience.Long));

        await WriteAsync(call, new RequestStream { Pong = new Pong { Sequence = 1 } });
        Assert.Equal(1ul, (await served.ReadAsync())!.Pong.Sequence);
        await served.WriteAsync(Large);
        Assert.Equal(Large, await ReadAsync(call));
    }

    [Fact]
    public async Task A_status_comes_after_what_was_written_though_a_write_waits()
    {
        await using var host = await ControlHost.StartAsync(tls: false);
        await using var call = await host.OpenAsync();
        var served = await host.Service.NextAsync();
        var writing = WriteManyAsync(served);
        Assert.Equal(Large, await ReadAsync(call));
        served.End.SetResult(GrpcStatus.Ok);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing.WaitAsync(Patience.Long));
        while (await ReadAsync(call) is { } message)
        {
            Assert.Equal(Large, message);
        }
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
        var authority = fault == "wrong name" ? "broker.example:1" : host.Authority;
        var refused = await Assert.ThrowsAsync<GrpcStatusException>(() => host.OpenAsync(TestCertificates.Shared.ClientIdentity("a.b"), authority));
        Assert.Equal(GrpcStatusCode.Unauthenticated, refused.Status.Code);
        Assert.NotEqual("", refused.Status.Message);
        await host.Logs.WaitForAsync("Refused");
    }

    [Theory]
    [InlineData("other CA")]
    [InlineData("expired")]
    [InlineData("wrong role")]
    public async Task An_agent_that_is_not_to_be_trusted_is_refused(string fault)
    {
        await using var host = await ControlHost.StartAsync(tls: true);
        var identity = fault switch
        {
            "other CA" => TestCertificates.Shared.OtherCaClientIdentity("a.b"),
            "expired" => TestCertificates.Shared.ExpiredClientIdentity("a.b"),
            _ => TestCertificates.Shared.WrongRoleClientIdentity("a.b"),
        };
        var refused = await Assert.ThrowsAsync<GrpcStatusException>(async () =>
        {
            await using var call = await host.OpenAsync(identity);
            await ReadAsync(call);
        });
        await host.Logs.WaitForAsync("Refused");
        Assert.Equal(GrpcStatusCode.Unavailable, refused.Status.Code);
        Assert.Contains("certificate", refused.Status.Message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Plain_at_TLS_and_TLS_at_plain_are_Unavailable(bool serverTls)
    {
        await using var host = await ControlHost.StartAsync(serverTls);
        var failed = await Assert.ThrowsAsync<GrpcStatusException>(async () =>
        {
            await using var call = await host.OpenAsync(serverTls ? null : TestCertificates.Shared.ClientIdentity("a.b"));
            await ReadAsync(call);
        });
        Assert.Equal(GrpcStatusCode.Unavailable, failed.Status.Code);
        await host.Logs.WaitForAsync("Refused");
    }

    [Fact]
    public async Task A_port_in_use_is_an_IOException()
    {
        await using var host = await ControlHost.StartAsync(tls: false);
        var options = new ControlServerOptions(host.Server.LocalEndPoint, null, host.Gate);
        await Assert.ThrowsAsync<IOException>(() => ControlServer.StartAsync(options, host.Service, host.Logs, CancellationToken.None));
    }

    [Fact]
    public async Task Nobody_there_is_Unavailable()
    {
        using var unused = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unused.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var options = new ControlCallOptions((IPEndPoint)unused.LocalEndPoint!, "localhost:1", null, Patience.Long);
        var failed = await Assert.ThrowsAsync<GrpcStatusException>(() => ControlCall<RequestStream, ResponseStream>.OpenAsync(GrpcMethods.Register, options, CancellationToken.None));
        Assert.Equal(GrpcStatusCode.Unavailable, failed.Status.Code);
        Assert.Contains("refused", failed.Status.Message);
    }

    [Fact]
    public async Task A_server_that_says_nothing_costs_the_connect_timeout()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var failed = await Assert.ThrowsAsync<GrpcStatusException>(() => OpenTlsAsync(silent, TimeSpan.FromMilliseconds(50), CancellationToken.None));
        Assert.Equal(new GrpcStatus(GrpcStatusCode.Unavailable, "no connection within 0.05 s"), failed.Status);
    }

    [Fact]
    public async Task A_cancelled_open_closes_its_socket()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var cancel = new CancellationTokenSource();
        var opening = OpenTlsAsync(silent, Patience.Long, cancel.Token);
        using var accepted = await silent.AcceptTcpClientAsync().WaitAsync(Patience.Long);
        var hello = new byte[1];
        await accepted.GetStream().ReadExactlyAsync(hello).AsTask().WaitAsync(Patience.Long);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening.WaitAsync(Patience.Long));
        await accepted.GetStream().CopyToAsync(Stream.Null).WaitAsync(Patience.Long);
    }

    private static Task<ControlCall<RequestStream, ResponseStream>> OpenTlsAsync(TcpListener listener, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var identity = TestCertificates.Shared.ClientIdentity("a.b");
        var address = (IPEndPoint)listener.LocalEndpoint;
        return ControlCall<RequestStream, ResponseStream>.OpenAsync(GrpcMethods.Register, new ControlCallOptions(address, $"localhost:{address.Port}", identity, timeout), cancellationToken);
    }

    private static async Task WriteManyAsync(ServedCall call)
    {
        for (var i = 0; i < 200; i++)
        {
            await call.Stream.WriteAsync(Large, CancellationToken.None);
        }
    }

    private static Task WriteAsync(ControlCall<RequestStream, ResponseStream> call, RequestStream message) => call.WriteAsync(message, CancellationToken.None).AsTask().WaitAsync(Patience.Long);

    private static Task<ResponseStream?> ReadAsync(ControlCall<RequestStream, ResponseStream> call) => call.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience.Long);

    private static async Task<GrpcStatus> EndAsync(ControlCall<RequestStream, ResponseStream> call) => (await Assert.ThrowsAsync<GrpcStatusException>(() => ReadAsync(call))).Status;
}
