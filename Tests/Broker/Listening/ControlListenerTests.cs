using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;
using Whip.Hosting.Listening;
using Whip.Protocol.Messages;

namespace Whip.Tests.Broker.Listening;

/// <summary>Calls at a control listener, and requests that no gRPC client sends.</summary>
public sealed class ControlListenerTests
{
    private const string Register = "/v1.Whip/Register";

    private static readonly ResponseStream Large = new() { Members = new Members { Members_ = { new Member { BrokerId = new string('x', 60_000) } } } };

    [Theory, PlainAndTls]
    public async Task Messages_pass_both_ways_and_the_status_ends_the_call(bool tls)
    {
        await using var host = await ControlHost.StartAsync(tls);
        using var call = await host.OpenAsync();
        var served = await host.Service.NextAsync();
        Assert.Equal(tls, served.Connection.Peer?.Covers("instance1.testdom") ?? false);

        await call.WriteAsync(new RequestStream { Register = new Register { Hostname = "h" } });
        Assert.Equal("h", (await served.ReadAsync())!.Register.Hostname);
        await served.WriteAsync(Large);
        Assert.Equal(Large, await call.ReadAsync());
        served.End.SetResult(new Status(StatusCode.InvalidArgument, "100% ü"));
        Assert.Equal(new Status(StatusCode.InvalidArgument, "100% ü"), await call.EndAsync());
    }

    [Theory, PlainAndTls]
    public async Task A_peer_that_does_not_read_holds_up_neither_others_nor_stop(bool tls)
    {
        var host = await ControlHost.StartAsync(tls);
        using var slow = await host.OpenAsync();
        var writing = WriteManyAsync(await host.Service.NextAsync());
        using var leaving = await host.OpenAsync();
        var toLeaving = WriteManyAsync(await host.Service.NextAsync());

        using var other = await host.OpenAsync();
        var toOther = await host.Service.NextAsync();
        await toOther.WriteAsync(Large);
        Assert.Equal(Large, await other.ReadAsync());
        Assert.False(writing.IsCompleted || toLeaving.IsCompleted);

        leaving.Dispose();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => toLeaving.WaitAsync(Patience.Long));
        Assert.False(writing.IsCompleted);
        await host.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing.WaitAsync(Patience.Long));
        await other.EndAsync();
    }

    [Fact]
    public async Task A_port_in_use_is_an_IOException()
    {
        await using var host = await ControlHost.StartAsync(tls: false);
        var gate = new UnauthenticatedGate(1, Descriptors.Many);
        await Assert.ThrowsAsync<IOException>(() => ControlHost.ListenAsync(host.EndPoint, null, gate, host.Service, host.Logs));
    }

    [Theory]
    [InlineData("/v1.Whip/Other", "application/grpc")]
    [InlineData("/v1.Other/Register", "application/grpc+proto")]
    public async Task An_unknown_method_is_Unimplemented(string path, string contentType)
    {
        await using var host = await ControlHost.StartAsync(tls: false);
        using var response = await SendAsync(host, path, contentType, []);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(StatusCode.Unimplemented, StatusOf(response.Headers));
    }

    [Fact]
    public async Task Another_content_type_is_415()
    {
        await using var host = await ControlHost.StartAsync(tls: false);
        using var response = await SendAsync(host, Register, "application/json", []);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Fact]
    public async Task A_GET_is_told_what_is_served()
    {
        await using var host = await ControlHost.StartAsync(tls: false);
        using var client = NewClient();
        using var response = await client.GetAsync($"http://{host.EndPoint}/").WaitAsync(Patience.Long);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("only gRPC is served here", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Request_headers_beyond_8_KiB_are_refused()
    {
        await using var host = await ControlHost.StartAsync(tls: false);
        using var client = NewClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{host.EndPoint}/");
        for (var i = 0; i < 4; i++)
        {
            request.Headers.Add($"x-{i}", new string('x', 3000));
        }

        using var response = await client.SendAsync(request).WaitAsync(Patience.Long);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    /// <summary>gRPC over TLS says in the handshake that it speaks HTTP/2.</summary>
    [Theory]
    [InlineData("a.testdom", true)]
    [InlineData(ControlHost.SilentName, false)]
    public async Task TLS_without_ALPN_is_closed_and_named_in_the_log_unless_the_peer_may_be_silent(string name, bool isLogged)
    {
        await using var host = await ControlHost.StartAsync(tls: true);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(host.EndPoint).WaitAsync(Patience.Long);
        await using var stream = new SslStream(new NetworkStream(socket));
        await stream.AuthenticateAsClientAsync(TestCertificates.Shared.ClientIdentity(name).ClientOptions("localhost", 1)).WaitAsync(Patience.Long);
        if (isLogged)
        {
            // It is given time to show what it is.
            await stream.ShutdownAsync().WaitAsync(Patience.Long);
        }

        Assert.Equal(0, await stream.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience.Long));
        await Patience.UntilAsync(() => host.Gate.Count == 0, "an empty gate");
        if (isLogged)
        {
            Assert.Contains("ALPN", (await host.Logs.WaitForAsync("Refused")).Message);
        }

        Assert.Equal(isLogged ? 1 : 0, host.Logs.Records.Count);
    }

    /// <summary>The bytes after the frame's own are none, or no message.</summary>
    [Theory]
    [InlineData("0000000004", StatusCode.Internal, "Incomplete message.")]
    [InlineData("00000000020A7F", StatusCode.InvalidArgument, "not a message of a control stream")]
    [InlineData("0000010001", StatusCode.ResourceExhausted, "maximum")]
    [InlineData("0200000000", StatusCode.InvalidArgument, "not a message of a control stream")]
    [InlineData("0100000000", StatusCode.Internal, "compressed")]
    public async Task A_bad_message_ends_the_call_and_the_log_says_why(string bytes, object expected, string text)
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        using var client = NewClient();
        using var response = await SendAsync(client, broker.Broker.GrpcEndPoint!, Register, "application/grpc", Convert.FromHexString(bytes));
        await response.Content.ReadAsByteArrayAsync();
        Assert.Equal(expected, StatusOf(response.TrailingHeaders));
        Assert.Contains(text, (await broker.Logs.WaitForAsync("RegistrationRefused")).Message);
    }

    [Fact]
    public async Task A_compressed_message_is_Unimplemented()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        using var client = NewClient();
        var body = new byte[] { 1, 0, 0, 0, 1, 0 };
        using var response = await SendAsync(client, broker.Broker.GrpcEndPoint!, Register, "application/grpc", body, ("grpc-encoding", "gzip"));
        await response.Content.ReadAsByteArrayAsync();
        Assert.Equal(StatusCode.Unimplemented, StatusOf(response.TrailingHeaders));
    }

    [Fact]
    public async Task A_deadline_ends_the_call_though_the_client_waits()
    {
        await using var host = await ControlHost.StartAsync(tls: false);
        using var client = NewClient();
        var message = new RequestStream { Register = new Register { Hostname = "h" } }.ToByteArray();
        byte[] body = [0, 0, 0, 0, (byte)message.Length, .. message];
        using var response = await SendAsync(client, host.EndPoint, Register, "application/grpc", body, ("grpc-timeout", "50m"));
        await response.Content.ReadAsByteArrayAsync().WaitAsync(Patience.Long);
        Assert.Equal(StatusCode.DeadlineExceeded, StatusOf(response.TrailingHeaders));
    }

    private static async Task WriteManyAsync(ServedCall call)
    {
        for (var i = 0; i < 200; i++)
        {
            await call.WriteAsync(Large);
        }
    }

    private static async Task<HttpResponseMessage> SendAsync(ControlHost host, string path, string contentType, byte[] body)
    {
        using var client = NewClient();
        return await SendAsync(client, host.EndPoint, path, contentType, body);
    }

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient client, IPEndPoint address, string path, string contentType, byte[] body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{address}{path}");
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        return await client.SendAsync(request).WaitAsync(Patience.Long);
    }

    private static StatusCode StatusOf(HttpResponseHeaders headers) => (StatusCode)int.Parse(headers.GetValues("grpc-status").Single());

    private static HttpClient NewClient() => new()
    {
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };
}
