using System.Net;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Whip.Tests.Proxy;

public sealed class StreamingTests
{
    private const string Chunked = "POST http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\nTransfer-Encoding: chunked\r\n\r\n";

    [Theory, PlainAndTls]
    public async Task The_answer_begins_before_the_request_ends_and_each_side_hears_the_other(bool tls)
    {
        await using var service = Service.Start(async leg =>
        {
            await Wire.ReadHeadAsync(leg);
            await leg.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            for (var i = 0; i < 3; i++)
            {
                await leg.SendAsync(await Wire.ReadAsync(leg, "4\r\nping\r\n".Length));
            }

            await leg.SendAsync(await Wire.ReadAsync(leg, "0\r\n\r\n".Length));
        });
        await using var run = await ProxyRun.StartAsync(service, tls);
        var client = await run.ConnectAsync();

        await client.SendAsync(Chunked);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await Wire.ReadHeadAsync(client), StringComparison.Ordinal);
        for (var i = 0; i < 3; i++)
        {
            await client.SendAsync("4\r\nping\r\n");
            Assert.Equal("4\r\nping\r\n", await Wire.ReadAsync(client, "4\r\nping\r\n".Length));
        }

        await client.SendAsync("0\r\n\r\n");
        Assert.Equal("0\r\n\r\n", await Wire.ReadAsync(client, 5));
    }

    [Fact]
    public async Task An_early_answer_reaches_a_client_that_still_sends()
    {
        await using var service = Service.Start(async leg =>
        {
            await Wire.ReadHeadAsync(leg);
            await leg.SendAsync("HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmuch");
        });
        await using var run = await ProxyRun.StartAsync(service);
        var client = await run.ConnectAsync();

        await client.SendAsync(Chunked + "4\r\nping\r\n");

        var answer = await Wire.ReadAnswerAsync(client);
        Assert.StartsWith("HTTP/1.1 413 Too Large\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("much", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_that_waits_for_100_is_sent_when_the_upstream_wants_it(bool wanted)
    {
        await using var service = Service.Start(async leg =>
        {
            var head = await Wire.ReadHeadAsync(leg);
            Assert.Contains("\r\nExpect: 100-continue\r\n", head, StringComparison.Ordinal);
            if (!wanted)
            {
                await leg.SendAsync("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
                return;
            }

            await leg.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
            await leg.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{await Wire.ReadAsync(leg, 5)}");
        });
        await using var run = await ProxyRun.StartAsync(service);
        var client = await run.ConnectAsync();

        await client.SendAsync("POST http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
        var first = await Wire.ReadHeadAsync(client);

        Assert.StartsWith(wanted ? "HTTP/1.1 100 " : "HTTP/1.1 417 ", first, StringComparison.Ordinal);
        if (wanted)
        {
            Assert.EndsWith("hello", await client.AskAsync("hello"), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(false, "GET http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n", false)]
    [InlineData(true, "GET http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n", false)]
    [InlineData(false, "POST http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\nContent-Length: 2\r\n\r\n{}", false)]
    [InlineData(false, "GET http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n", true)]
    public async Task A_client_that_ends_its_side_is_served_to_the_end(bool tls, string request, bool duringDial)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var (asked, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var service = Service.Start(async leg =>
        {
            await Wire.ReadHeadAsync(leg);
            asked.TrySetResult();
            await go.Task;
            await leg.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            await Wire.ReadToEndAsync(leg);
        });
        await using var run = await ProxyRun.StartAsync(service, tls, time: time);
        var dial = new TaskCompletionSource();
        run.Dialer.Map("instance1.testdom:80", async cancellationToken =>
        {
            if (duringDial)
            {
                asked.SetResult();
                await dial.Task.WaitAsync(cancellationToken);
            }

            return Whip.Protocol.Dialing.DialResult.Connected(await Whip.Protocol.Legs.Leg.ConnectAsync(service.EndPoint, cancellationToken));
        });
        var client = await run.ConnectAsync();

        await client.SendAsync(request);
        await client.CompleteWritesAsync();
        await asked.Task.WaitAsync(Patience.Long);
        var end = time.GetUtcNow() + TimeSpan.FromSeconds(30);
        await time.AdvanceUntilAsync(() => time.GetUtcNow() >= end, "half a minute");
        dial.SetResult();
        go.SetResult();

        Assert.EndsWith("\r\n\r\nok", Encoding.ASCII.GetString(await client.ReadToEndAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_leaves_ends_its_request_upstream()
    {
        var asked = new TaskCompletionSource();
        var ended = new TaskCompletionSource();
        await using var service = Service.Start(async leg =>
        {
            await Wire.ReadHeadAsync(leg);
            asked.SetResult();
            await Wire.ReadToEndAsync(leg);
            ended.SetResult();
        });
        await using var run = await ProxyRun.StartAsync(service);
        var client = await run.ConnectAsync();
        await client.SendAsync("GET http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n");
        await asked.Task.WaitAsync(Patience.Long);

        client.Abort();

        await ended.Task.WaitAsync(Patience.Long);
    }

    [Theory, PlainAndTls]
    public async Task A_websocket_echoes_through_the_proxy(bool tls)
    {
        await using var service = await EchoServiceAsync();
        await using var run = await ProxyRun.StartAsync(tls);
        run.Dialer.Map("instance1.testdom:80", IPEndPoint.Parse(service.Urls.Single()["http://".Length..]));
        using var socket = new ClientWebSocket();
        using var timeout = new CancellationTokenSource(Patience.Long);
        using var invoker = new HttpMessageInvoker(run.CreateHandler());

        // A client of WebSockets asks a proxy for a tunnel; a request to upgrade goes here to an origin of the proxy's own name.
        var client = await run.ConnectAsync();
        await client.SendAsync(
            "GET http://instance1.testdom/ws HTTP/1.1\r\nHost: instance1.testdom\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        var head = await Wire.ReadHeadAsync(client);
        using var upgraded = WebSocket.CreateFromStream(client, new WebSocketCreationOptions());
        await EchoAsync(upgraded, timeout.Token);

        await socket.ConnectAsync(new Uri("ws://instance1.testdom/ws"), invoker, timeout.Token);
        await EchoAsync(socket, timeout.Token);

        Assert.StartsWith("HTTP/1.1 101 ", head, StringComparison.Ordinal);
        Assert.Contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_direction_of_an_upgraded_connection_ends_by_itself()
    {
        await using var service = Service.Start(async leg =>
        {
            await Wire.ReadHeadAsync(leg);
            await leg.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello ");
            await leg.WriteAsync(await leg.ReadToEndAsync());
        });
        await using var run = await ProxyRun.StartAsync(service);
        var client = await run.ConnectAsync();

        await client.SendAsync("GET http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly ");
        var head = await Wire.ReadHeadAsync(client);
        await client.SendAsync("late");
        await client.CompleteWritesAsync();

        Assert.StartsWith("HTTP/1.1 101 ", head, StringComparison.Ordinal);
        Assert.Equal("hello early late", Encoding.ASCII.GetString(await client.ReadToEndAsync()));
    }

    private static async Task EchoAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[64];
        await socket.SendAsync("ping"u8.ToArray(), WebSocketMessageType.Text, true, cancellationToken);
        var received = await socket.ReceiveAsync(buffer, cancellationToken);
        Assert.Equal("ping", Encoding.ASCII.GetString(buffer, 0, received.Count));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", cancellationToken);
    }

    private static async Task<WebApplication> EchoServiceAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.UseWebSockets();
        app.Map("/ws", async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var buffer = new byte[64];
            while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } message)
            {
                await socket.SendAsync(buffer.AsMemory(0, message.Count), message.MessageType, message.EndOfMessage, context.RequestAborted);
            }

            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", context.RequestAborted);
        });
        await app.StartAsync();
        return app;
    }
}
