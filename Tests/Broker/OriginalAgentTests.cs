namespace Whip.Tests.Broker;

/// <summary>An agent that knows only the original's messages, on a gRPC implementation that is not ours, at a whole broker.</summary>
public sealed class OriginalAgentTests
{
    [SkippableTheory, PlainAndTls]
    public async Task An_original_agent_registers_answers_pings_and_fails_a_dial(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls, options => options.Limits.PingInterval = TimeSpan.FromMilliseconds(10));
        await using var agent = await NodePeer.StartAsync(
            "client.js", broker.Client("instance1.testdom"), "--address", $"127.0.0.1:{broker.Broker.GrpcEndPoint!.Port}");
        await agent.SendAsync(new { write = new { register = new { hostname = "instance1", domain = "testdom", ports = new[] { 5051 } } } });
        await Patience.UntilAsync(() => broker.Parts.Streams.Count == 1, "the registration");

        var ping = (await agent.ExpectMessageAsync("ping")).GetProperty("sequence").GetInt64();
        await agent.SendAsync(new { write = new { pong = new { sequence = ping } } });
        await Patience.UntilAsync(
            () => broker.ScrapeAsync().Result.Contains("whip_server_client_round_trip_latency_count{domain=\"testdom\"} 1", StringComparison.Ordinal),
            "the round trip to be measured");

        var refused = broker.RefusedAsync("testdom:5051", "Whip-Deadline: 20000\r\n");
        var connect = await agent.ExpectMessageAsync("connect");
        Assert.Equal((5051, "127.0.0.1"), (connect.GetProperty("local_port").GetInt32(), connect.GetProperty("host").GetString()));
        await agent.SendAsync(new
        {
            write = new { connect_failed = new { connection_iD = connect.GetProperty("connection_iD").GetString(), error_message = "connection refused" } },
        });
        Assert.EndsWith("instance1.testdom: connection refused\n", await refused);

        await agent.KillAsync();
        await Patience.UntilAsync(() => broker.Parts.Streams.Count == 0, "the stream of a killed agent to go");
    }
}
