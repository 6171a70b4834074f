using System.Net;
using System.Net.WebSockets;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Whip.Protocol.Messages;

namespace Whip.Tests.AspNetCore;

/// <summary>What an app behind <c>UseWhip</c> can speak.</summary>
public sealed class ProtocolTests
{
    private const int TlsPort = 443;

    [Theory, PlainAndTls]
    public async Task One_port_has_http1_and_http2_without_tls(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var app = await DialedApp.StartAsync(broker, tls, map => map.MapGet("/", (HttpRequest request) => $"{request.Protocol} {request.Scheme}"));
        Assert.Equal("HTTP/1.1 http", await app.Client().GetStringAsync("/"));
        Assert.Equal("HTTP/2 http", await app.Client(version: HttpVersion.Version20).GetStringAsync("/"));

        // Two bytes of the preface of HTTP/2 are the beginning of a request too.
        using var patched = await app.Client().PatchAsync("/", new StringContent(""));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, patched.StatusCode);
        await using var stream = await app.DialAsync();
        foreach (var part in "P|R|OPFIND / HTTP/1.1\r\nHost: web.testdom\r\nConnection: close\r\n\r\n".Split('|'))
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(part));
        }

        Assert.StartsWith("HTTP/1.1 405 ", Encoding.ASCII.GetString(await stream.ReadToEndAsync()));
    }

    [Fact]
    public async Task Tls_of_the_app_itself_is_from_end_to_end_and_chooses_by_alpn()
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        await using var app = await DialedApp.StartAsync(
            broker,
            tls: true,
            map => map.MapGet("/", (HttpRequest request) => $"{request.Protocol} {request.Scheme}"),
            build => build.WebHost.UseKestrelHttpsConfiguration(),
            options => options.Ports = [DialedApp.Port, TlsPort],
            (port, listen) =>
            {
                if (port == TlsPort)
                {
                    listen.UseHttps(DialedApp.AppCertificate);
                }
            });
        Assert.Equal("HTTP/1.1 https", await app.Client(port: TlsPort, scheme: "https").GetStringAsync("/"));
        Assert.Equal("HTTP/2 https", await app.Client(version: HttpVersion.Version20, port: TlsPort, scheme: "https").GetStringAsync("/"));
        Assert.Equal("HTTP/1.1 http", await app.Client().GetStringAsync("/"));
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_web_socket_echoes_and_is_closed(string version)
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        await using var app = await DialedApp.StartAsync(broker, tls: true, map => map.Map("/echo", EchoAsync));
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = new Version(version);
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        using var deadline = new CancellationTokenSource(Patience.Long);
        await socket.ConnectAsync(new Uri($"ws://{DialedApp.Name}/echo"), app.Client(), deadline.Token);
        var sent = new byte[100_000];
        new Random(1).NextBytes(sent);
        var received = new byte[sent.Length];
        for (var i = 0; i < 10; i++)
        {
            await socket.SendAsync(sent, WebSocketMessageType.Binary, endOfMessage: true, deadline.Token);
            for (var read = 0; read < sent.Length;)
            {
                read += (await socket.ReceiveAsync(received.AsMemory(read), deadline.Token)).Count;
            }

            Assert.Equal(sent, received);
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", deadline.Token);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
    }

    [Theory, PlainAndTls]
    public async Task A_grpc_call_streams_both_ways(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var app = await DialedApp.StartAsync(
            broker, tls, map => map.MapGrpcService<Pongs>(), build => build.Services.AddGrpc());
        var client = app.Client(version: HttpVersion.Version20);
        using var channel = GrpcChannel.ForAddress(client.BaseAddress!, new GrpcChannelOptions { HttpClient = client });
        using var call = new Whip.Protocol.Messages.Whip.WhipClient(channel).Register();
        for (var i = 0ul; i < 100; i++)
        {
            await call.RequestStream.WriteAsync(new RequestStream { Ping = new Ping { Sequence = i } });
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience.Long));
            Assert.Equal(i, call.ResponseStream.Current.Pong.Sequence);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience.Long));
    }

    [Theory, PlainAndTls]
    public async Task A_protocol_of_the_apps_own_may_speak_first_and_ends_each_direction_by_itself(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var app = await DialedApp.StartAsync(broker, tls, _ => { }, listen: (_, listen) =>
        {
            listen.Protocols = HttpProtocols.None;
            listen.Run(GreetAsync);
        });
        await using var stream = await app.DialAsync();
        Assert.Equal("hello"u8.ToArray(), await stream.ReadExactlyAsync(5));
        await stream.WriteAsync("something"u8.ToArray());
        await stream.CompleteWritesAsync();
        Assert.Equal("something"u8.ToArray(), await stream.ReadToEndAsync());

        static async Task GreetAsync(ConnectionContext connection)
        {
            await connection.Transport.Output.WriteAsync("hello"u8.ToArray());
            var said = await connection.Transport.Input.ReadAtLeastAsync(int.MaxValue);
            Assert.True(said.IsCompleted);
            Assert.False(connection.ConnectionClosed.IsCancellationRequested);
            foreach (var piece in said.Buffer)
            {
                await connection.Transport.Output.WriteAsync(piece);
            }
        }
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } read)
        {
            await socket.SendAsync(buffer.AsMemory(0, read.Count), read.MessageType, read.EndOfMessage, context.RequestAborted);
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", context.RequestAborted);
    }

    private sealed class Pongs : Whip.Protocol.Messages.Whip.WhipBase
    {
        public override async Task Register(
            IAsyncStreamReader<RequestStream> requestStream, IServerStreamWriter<ResponseStream> responseStream, ServerCallContext context)
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                await responseStream.WriteAsync(new ResponseStream { Pong = new Pong { Sequence = requestStream.Current.Ping.Sequence } });
            }
        }
    }
}
