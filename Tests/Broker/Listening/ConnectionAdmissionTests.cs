using System.Net.Sockets;
using System.Text;
using Whip.Protocol.Messages;

namespace Whip.Tests.Broker.Listening;

/// <summary>What connects to a control listener and is no agent: a closed socket, and a log line that says why.</summary>
public sealed class ConnectionAdmissionTests
{
    [Theory]
    [InlineData(false, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "this port serves gRPC without TLS")]
    [InlineData(true, "CONNECT instance1.testdom:5051 HTTP/1.1\r\n\r\n", "this port serves gRPC over TLS")]
    [InlineData(false, "POST ", "this port serves gRPC without TLS")]
    public async Task Http1_is_told_which_port_it_is(bool tls, string text, string expected)
    {
        await using var host = await ControlHost.StartAsync(tls);
        var answer = await ExchangeAsync(host, Encoding.ASCII.GetBytes(text));
        Assert.StartsWith("HTTP/1.1 400 ", answer);
        Assert.Contains("this is the grpc port of a broker (--grpc-listen); ", answer);
        Assert.Contains(expected, (await host.Logs.WaitForAsync("Refused")).Message);
    }

    [Theory]
    [InlineData(true, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "this broker wants TLS")]
    [InlineData(true, "\0\0\0\0", "is not gRPC over TLS")]
    [InlineData(true, BrokenTls.OtherMessage, "is not gRPC over TLS")]
    [InlineData(true, BrokenTls.CutHello, "is not gRPC over TLS")]
    [InlineData(false, "\u0016\u0003\u0001\u0002\0\u0001", "--tls=false")]
    [InlineData(false, "{\"connectionID\":\"x\"}", "is not gRPC without TLS")]
    [InlineData(false, "PR", "is not gRPC without TLS")]
    [InlineData(false, "PRI * HTTP/2.0\r\n\r\nXX", "ended without a call")]
    [InlineData(true, "\u0016\u0003\u0001\u0002\0\u0001", "during the TLS handshake")]
    public async Task Anything_else_is_closed_and_named_in_the_log(bool tls, string bytes, string expected)
    {
        await using var host = await ControlHost.StartAsync(tls);
        await ExchangeAsync(host, Encoding.Latin1.GetBytes(bytes), end: true);
        Assert.Contains(expected, (await host.Logs.WaitForAsync("Refused")).Message);
        await Patience.UntilAsync(() => host.Gate.Count == 0, "an empty gate");
    }

    [Theory]
    [InlineData(false, "")]
    [InlineData(true, "")]
    [InlineData(true, "\u0016\u0003\u0001\u0002\0\u0001")]
    public async Task A_silent_connection_is_closed(bool tls, string bytes)
    {
        await using var host = await ControlHost.StartAsync(tls);
        await ExchangeAsync(host, Encoding.Latin1.GetBytes(bytes));
        await host.Logs.WaitForAsync("Refused");
    }

    [Fact]
    public async Task A_probe_that_says_nothing_is_not_logged()
    {
        await using var host = await ControlHost.StartAsync(tls: false);
        await ExchangeAsync(host, [], end: true);
        await Patience.UntilAsync(() => host.Gate.Count == 0, "an empty gate");
        Assert.Empty(host.Logs.Records);
    }

    [Theory, PlainAndTls]
    public async Task A_full_gate_drops_the_oldest_and_no_registered_one(bool tls)
    {
        await using var host = await ControlHost.StartAsync(tls, gateCapacity: 3);
        using var registered = await host.OpenAsync();
        var served = await host.Service.NextAsync();
        served.Connection.Entry.Leave();
        using var oldest = await ConnectAsync(host);
        await Patience.UntilAsync(() => host.Gate.Count == 1, "the oldest in the gate");
        using var second = await ConnectAsync(host);
        using var third = await ConnectAsync(host);
        await Patience.UntilAsync(() => host.Gate.Count == 3, "a full gate");

        using var newest = await host.OpenAsync();
        await host.Service.NextAsync();
        await DrainAsync(oldest);
        await host.Logs.WaitForAsync("Evicted");
        await served.WriteAsync(new ResponseStream { Ping = new Ping { Sequence = 1 } });
        Assert.NotNull(await registered.ReadAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_connection_without_a_call_ends_with_GOAWAY_in_time_or_at_stop(bool stop)
    {
        const byte settings = 4;
        const byte goAway = 7;
        await using var host = await ControlHost.StartAsync(tls: false);
        using var connection = await ConnectAsync(host);
        await connection.WriteAsync((byte[])[.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, settings, 0, 0, 0, 0, 0]);
        Assert.Equal(settings, await FrameTypeAsync(connection));
        if (stop)
        {
            await host.StopAsync();
        }

        while (await FrameTypeAsync(connection) != goAway)
        {
        }

        await DrainAsync(connection);
        Assert.Contains("ended without a call", (await host.Logs.WaitForAsync("Refused")).Message);
    }

    [Fact]
    public async Task Stop_does_not_wait_for_silent_connections()
    {
        var host = await ControlHost.StartAsync(tls: true);
        using var silent = await ConnectAsync(host);
        await Patience.UntilAsync(() => host.Gate.Count == 1, "it in the gate");
        await host.DisposeAsync();
        await DrainAsync(silent);
        Assert.Empty(host.Logs.Records);
    }

    private static async Task<NetworkStream> ConnectAsync(ControlHost host)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(host.EndPoint).WaitAsync(Patience.Long);
        return new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>Sends the bytes and reads until the connection is closed.</summary>
    private static async Task<string> ExchangeAsync(ControlHost host, byte[] bytes, bool end = false)
    {
        using var connection = await ConnectAsync(host);
        await connection.WriteAsync(bytes).AsTask().WaitAsync(Patience.Long);
        if (end)
        {
            connection.Socket.Shutdown(SocketShutdown.Send);
        }

        return await DrainAsync(connection);
    }

    private static async Task<byte> FrameTypeAsync(NetworkStream connection)
    {
        var head = new byte[9];
        await connection.ReadExactlyAsync(head).AsTask().WaitAsync(Patience.Long);
        await connection.ReadExactlyAsync(new byte[(head[0] << 16) | (head[1] << 8) | head[2]]).AsTask().WaitAsync(Patience.Long);
        return head[3];
    }

    private static async Task<string> DrainAsync(NetworkStream connection)
    {
        var all = new MemoryStream();
        try
        {
            await connection.CopyToAsync(all).WaitAsync(Patience.Long);
        }
        catch (IOException)
        {
            // A reset closes it as well.
        }

        return Encoding.Latin1.GetString(all.ToArray());
    }
}
