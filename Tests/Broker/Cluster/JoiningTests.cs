using System.Net;
using Microsoft.Extensions.Logging;
using Whip.Agent;
using Whip.Protocol.Legs;
using Whip.Protocol.Options;

namespace Whip.Tests.Broker.Cluster;

public sealed class JoiningTests
{
    [SkippableFact]
    public async Task A_broker_that_has_just_joined_finds_what_the_others_hold()
    {
        await using var cluster = await TestCluster.StartAsync(tls: true, brokers: 2);
        await using var agent = await cluster[0].RegisterAsync();
        for (var i = 3; i < 6; i++)
        {
            var late = await cluster.AddAsync($"b{i}");
            await using var dialer = await late.ConnectAsync();
            await dialer.WriteAsync("CONNECT instance1.testdom:5051 HTTP/1.1\r\n\r\n"u8.ToArray());
            await using var leg = await agent.BringLegAsync(await agent.NextConnectAsync());
            Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(dialer));
        }
    }

    [SkippableFact]
    public async Task One_with_an_address_of_another_is_refused_by_the_name_of_its_option()
    {
        await using var cluster = await TestCluster.StartAsync(tls: false, brokers: 1, options => options.ExternalGrpc = "127.0.0.1:1");
        var refused = await Assert.ThrowsAsync<WhipOptionException>(() => cluster.AddAsync("b2", options => options.ExternalGrpc = "127.0.0.1:1"));
        Assert.Equal(("ExternalGrpc", "127.0.0.1:1"), (refused.Option, refused.Value));
    }

    [SkippableFact]
    public async Task A_broker_that_waits_for_its_database_sends_dialers_elsewhere_and_is_no_warning_of_an_agent()
    {
        await using var server = await PostgresServer.PrivateAsync();
        var database = await server.CreateDatabaseAsync();
        await server.StopAsync();
        var ports = FreePort.Find(2);
        var (grpcPort, dialPort) = (ports[0], ports[1]);
        await using var broker = WhipProcess.Start(
            "whip-broker",
            [
                "--tls=false", "--grpc-listen", $"127.0.0.1:{grpcPort}", "--tcp-listen", "127.0.0.1:0",
                "--dial-listen", $"127.0.0.1:{dialPort}", "--metrics-listen=",
                    "--admin-listen=",
                "--drain-delay", "0s", .. TestedEngine.Flags, "--broker-id", "b1",
            ],
            new Dictionary<string, string> { ["WHIP_POSTGRES"] = database });
        await broker.ErrorLineAsync("PostgreSQL at");
        await using (var dialer = await Leg.ConnectAsync(new IPEndPoint(IPAddress.Loopback, dialPort), default).WaitAsync(Patience.Long))
        {
            await dialer.WriteAsync("CONNECT instance1.testdom:5051 HTTP/1.1\r\n\r\n"u8.ToArray());
            var answer = await TestBroker.ReadHeadAsync(dialer).WaitAsync(Patience.Long);
            Assert.StartsWith("HTTP/1.1 503 ", answer);
            Assert.Contains("\r\nWhip-Outcome: unavailable\r\nRetry-After: ", answer);
        }

        using var logs = new CapturedLogs();
        string[] endpoints = [$"127.0.0.1:{grpcPort}"];
        var options = new WhipAgentOptions { Hostname = "a", Domain = "testdom", Ports = [1], Endpoints = endpoints, Tls = { Enabled = false } };
        await using var agent = new WhipAgent(options, logs);
        await agent.StartAsync();
        await logs.WaitForAsync("NotYet");
        await server.StartAsync();
        await broker.ReadyAsync();
        await logs.WaitForAsync("Attached");
        Assert.Equal(
            $"no control stream to 127.0.0.1:{grpcPort} yet: Unavailable: the broker is not in its cluster yet; retrying",
            Assert.Single(logs.Records, record => record.Event.Name == "NotYet").Message);
        Assert.DoesNotContain(logs.Records, record => record.Level >= LogLevel.Warning);
    }
}
