using System.Net;
using Grpc.Core;
using Whip.Protocol.Messages;

namespace Whip.Tests.Agent.ControlStreams;

/// <summary>Our call at a server built on @grpc/grpc-js and the original's messages.</summary>
public sealed class ForeignBrokerTests
{
    [SkippableTheory, PlainAndTls]
    public async Task Registers_is_pinged_and_asked_to_connect(bool tls)
    {
        await using var broker = await StartAsync(tls);
        using var call = await OpenAsync(broker, tls);
        await broker.ExpectAsync("call");
        var ours = new Register { Hostname = "instance1", Domain = "testdom", Ports = { 5051 }, AgentId = "ours" };
        await call.WriteAsync(new RequestStream { Register = ours });
        var register = (await broker.ExpectAsync("message")).GetProperty("message").GetProperty("register");
        Assert.Equal("""{"hostname":"instance1","domain":"testdom","ports":[5051]}""", register.GetRawText());
        Assert.Equal(tls, call.Peer?.Covers("localhost") ?? false);

        await broker.SendAsync(new { write = new { ping = new { sequence = 3 } } });
        Assert.Equal(3ul, (await call.ReadAsync())!.Ping.Sequence);
        await call.WriteAsync(new RequestStream { Pong = new Pong { Sequence = 3 } });
        Assert.Equal(3, (await broker.ExpectAsync("message")).GetProperty("message").GetProperty("pong").GetProperty("sequence").GetInt32());
        await broker.SendAsync(new { write = new { connect = new { connection_iD = "id1", host = "h", port = 1, local_port = 5051 } } });
        Assert.Equal(5051u, (await call.ReadAsync())!.Connect.LocalPort);

        await call.CompleteAsync();
        await broker.ExpectAsync("end");
        await broker.SendAsync(new { end = true });
        Assert.Null(await call.ReadAsync());
    }

    [SkippableTheory, PlainAndTls]
    public async Task Sees_the_status_and_its_text(bool tls)
    {
        await using var broker = await StartAsync(tls);
        using var call = await OpenAsync(broker, tls);
        await broker.ExpectAsync("call");
        await broker.SendAsync(new { status = new { code = 7, details = "Zürich: 100 % 🚂" } });
        Assert.Equal(new Status(StatusCode.PermissionDenied, "Zürich: 100 % 🚂"), await call.EndAsync());

    }

    [SkippableTheory, PlainAndTls]
    public async Task A_killed_server_is_Unavailable(bool tls)
    {
        await using var broker = await StartAsync(tls);
        using var call = await OpenAsync(broker, tls);
        await broker.ExpectAsync("call");
        await broker.SendAsync(new { write = new { ping = new { sequence = 1 } } });
        await call.ReadAsync();
        await broker.KillAsync();
        Assert.Equal(StatusCode.Unavailable, (await call.EndAsync()).StatusCode);
    }

    [SkippableTheory, PlainAndTls]
    public async Task Dispose_cancels_the_call(bool tls)
    {
        await using var broker = await StartAsync(tls);
        var call = await OpenAsync(broker, tls);
        await broker.ExpectAsync("call");
        call.Dispose();
        await broker.ExpectAsync("cancelled");
    }

    /// <summary>grpc-go ends a connection with too many; .NET sends them to measure the round trip unless whip-agent's configuration forbids it.</summary>
    [SkippableFact]
    public async Task Whip_agent_sends_no_PING_frames()
    {
        await using var broker = await NodePeer.StartAsync("pings.js", null);
        var port = (await broker.ExpectAsync("listening")).GetProperty("port").GetInt32();
        await using var agent = WhipProcess.Start(
            "whip-agent", ["--tls=false", "--hostname", "instance1", "--domain", "testdom", "--ports", "5051", $"127.0.0.1:{port}"]);
        Assert.Equal(0, (await broker.ExpectAsync("counted")).GetProperty("pings").GetInt32());
    }

    private static async Task<NodePeer> StartAsync(bool tls)
    {
        var broker = await NodePeer.StartAsync("server.js", tls ? TestCertificates.Shared.BrokerIdentity : null);
        broker.Port = (await broker.ExpectAsync("listening")).GetProperty("port").GetInt32();
        return broker;
    }

    private static Task<ControlCall> OpenAsync(NodePeer broker, bool tls) =>
        ControlCall.OpenAsync(new IPEndPoint(IPAddress.Loopback, broker.Port), tls ? TestCertificates.Shared.ClientIdentity("instance1.testdom") : null);
}
