using System.Text.Json;
using Grpc.Core;
using Whip.Protocol.Messages;

namespace Whip.Tests.Broker.Listening;

/// <summary>An agent built on @grpc/grpc-js and the original's messages, at our control server.</summary>
public sealed class ForeignAgentTests
{
    private static readonly int[] Ports = [5051, 5052];
    private static readonly object Register = new { write = new { register = new { hostname = "instance1", domain = "testdom", ports = Ports } } };

    [SkippableTheory, PlainAndTls]
    public async Task Registers_answers_pings_and_fails_a_connect(bool tls)
    {
        await using var host = await ControlHost.StartAsync(tls);
        await using var agent = await StartAsync(host, tls);
        await agent.SendAsync(Register);
        var call = await host.Service.NextAsync();
        await agent.ExpectAsync("open");

        var register = (await call.ReadAsync())!.Register;
        Assert.Equal("instance1.testdom", $"{register.Hostname}.{register.Domain}");
        Assert.Equal([5051u, 5052u], register.Ports);
        Assert.Equal(tls ? "instance1.testdom" : null, call.Connection.Peer?.ToString());
        Assert.Equal(1, host.Gate.Count);
        call.Connection.Entry.Leave();
        Assert.Equal(0, host.Gate.Count);

        // Registered is unknown to it, and skipped.
        await call.WriteAsync(new ResponseStream { Registered = new Registered { StreamId = "s", BrokerId = "b" } });
        Assert.False((await agent.ExpectAsync("message")).GetProperty("message").TryGetProperty("stream", out _));

        await call.WriteAsync(new ResponseStream { Ping = new Ping { Sequence = 7 } });
        var ping = (await agent.ExpectAsync("message")).GetProperty("message").GetProperty("ping");
        await agent.SendAsync(new { write = new { pong = new { sequence = ping.GetProperty("sequence").GetInt64() } } });
        Assert.Equal(7ul, (await call.ReadAsync())!.Pong.Sequence);

        var asked = new Connect { ConnectionID = "id1", Host = "h", Port = 8000, LocalPort = 5051, Dialer = { "d" } };
        await call.WriteAsync(new ResponseStream { Connect = asked });
        var connect = (await agent.ExpectAsync("message")).GetProperty("message").GetProperty("connect");
        Assert.Equal("""{"connection_iD":"id1","host":"h","port":8000,"local_port":5051}""", JsonSerializer.Serialize(connect));
        await agent.SendAsync(new { write = new { connect_failed = new { connection_iD = "id1", error_message = "connection refused" } } });
        Assert.Equal("connection refused", (await call.ReadAsync())!.ConnectFailed.ErrorMessage);

        await agent.SendAsync(new { end = true });
        Assert.Null(await call.ReadAsync());
        call.End.SetResult(Status.DefaultSuccess);
        Assert.Equal(0, (await agent.ExpectAsync("status")).GetProperty("code").GetInt32());
    }

    [SkippableTheory, PlainAndTls]
    public async Task Sees_the_status_and_its_text_exactly(bool tls)
    {
        const string text = "100 % of \"Zürich\" 🚂 %41 refused\n";
        await using var host = await ControlHost.StartAsync(tls);
        await using var agent = await StartAsync(host, tls);
        await agent.SendAsync(Register);
        (await host.Service.NextAsync()).End.SetResult(new Status(StatusCode.InvalidArgument, text));

        await agent.ExpectAsync("open");
        var status = await agent.ExpectAsync("status");
        Assert.Equal((int)StatusCode.InvalidArgument, status.GetProperty("code").GetInt32());
        Assert.Equal(text, status.GetProperty("details").GetString());
    }

    [SkippableTheory, PlainAndTls]
    public async Task Is_told_that_a_message_is_too_large(bool tls)
    {
        await using var host = await ControlHost.StartAsync(tls);
        await using var agent = await StartAsync(host, tls);
        await agent.SendAsync(new { write = new { register = new { hostname = new string('x', 70_000) } } });
        var call = await host.Service.NextAsync();
        var refused = await Assert.ThrowsAsync<RpcException>(call.ReadAsync);
        call.End.SetException(refused);

        await ExpectStatusAsync(agent, StatusCode.ResourceExhausted);
    }

    [SkippableTheory, PlainAndTls]
    public async Task Is_ended_at_its_own_deadline(bool tls)
    {
        await using var host = await ControlHost.StartAsync(tls);
        await using var agent = await StartAsync(host, tls, "--deadline", "1000");
        await agent.SendAsync(Register);
        var call = await host.Service.NextAsync();
        await call.UntilAbortedAsync();
        await ExpectStatusAsync(agent, StatusCode.DeadlineExceeded);
    }

    [SkippableTheory, PlainAndTls]
    public async Task Is_told_when_the_server_stops_and_its_cancellation_is_seen(bool tls)
    {
        await using var host = await ControlHost.StartAsync(tls);
        await using var leaving = await StartAsync(host, tls);
        await leaving.SendAsync(Register);
        var cancelled = await host.Service.NextAsync();
        await leaving.ExpectAsync("open");
        await leaving.SendAsync(new { cancel = true });
        await cancelled.UntilAbortedAsync();

        await using var staying = await StartAsync(host, tls);
        await staying.SendAsync(Register);
        await host.Service.NextAsync();
        await host.StopAsync();
        await ExpectStatusAsync(staying, StatusCode.Unavailable);
    }

    private static Task<NodePeer> StartAsync(ControlHost host, bool tls, params string[] arguments) => NodePeer.StartAsync(
        "client.js", tls ? TestCertificates.Shared.ClientIdentity("instance1.testdom") : null, ["--address", $"localhost:{host.EndPoint.Port}", .. arguments]);

    private static async Task ExpectStatusAsync(NodePeer agent, StatusCode code)
    {
        await agent.ExpectAsync("open");
        Assert.Equal((int)code, (await agent.ExpectAsync("status")).GetProperty("code").GetInt32());
    }
}
