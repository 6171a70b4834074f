using Grpc.Core;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;
using Whip.Tests.Broker.Admin;

namespace Whip.Tests.Broker.ControlStreams;

/// <summary>What a broker makes of the health that agents tell it, hostile ones too.</summary>
public sealed class HealthTests
{
    private static readonly Health Failing = new()
    {
        Port = 5051,
        Seconds = 60,
        Check = CheckKind.Http,
        Failure = CheckFailure.Status,
        Status = 503,
    };

    [Theory, PlainAndTls]
    public async Task A_dial_of_an_instance_that_fails_says_so_until_it_passes_again(bool tls)
    {
        await using var broker = await AdminRequests.StartAsync(tls);
        await using var agent = await broker.RegisterAsync(ports: [5051, 22]);
        await TellAsync(broker, agent, Failing, unhealthy: 1);
        foreach (var (name, reason) in new[]
        {
            ("instance1.testdom", "instance1.testdom:5051 is unhealthy: its http check has failed since "),
            ("testdom", "no instance of testdom:5051 is healthy: instance1.testdom has failed its http check since "),
        })
        {
            var refused = await broker.RefusedAsync($"{name}:5051");
            Assert.StartsWith("HTTP/1.1 502 Bad Gateway\r\nWhip-Outcome: unhealthy\r\n", refused);
            Assert.Contains($"\r\n\r\n{reason}{DateTimeOffset.UtcNow:yyyy-MM-dd}", refused);
            Assert.EndsWith("Z (status 503)\n", refused);
        }

        Assert.Contains("whip_broker_unhealthy_ports 1\n", await broker.ScrapeAsync());
        Assert.Contains("whip_broker_dials_total{outcome=\"unhealthy\",path=\"local\"} 2\n", await broker.ScrapeAsync());
        Assert.Equal(1, (int)(await broker.ReadAsync("/api/status"))["unhealthyPorts"]!);
        var failing = (await broker.ReadAsync("/api/clients"))["clients"]![0]!["failing"]!.AsArray();
        Assert.Equal(("5051", "http", "status 503"), ($"{failing[0]!["port"]}", $"{failing[0]!["check"]}", $"{failing[0]!["reason"]}"));
        Assert.Equal("unhealthy", $"{(await broker.ReadAsync("/api/explain?name=testdom&port=5051"))["status"]}");

        var (other, otherLeg) = await broker.JoinAsync(agent, "instance1.testdom:22");
        await EndAsync(other, otherLeg);
        await TellAsync(broker, agent, new Health { Port = 5051, Ok = true }, unhealthy: 0);
        var (dialer, leg) = await broker.JoinAsync(agent);
        await EndAsync(dialer, leg);
    }

    [Fact]
    public async Task A_stream_that_registers_failing_is_so_from_the_first_dial_on_and_the_others_of_its_domain_are_dialled()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var failing = await ScriptedAgent.RegisterAsync(broker, "a.testdom", [5051], register => register.Health.Add(Failing));
        await using var healthy = await broker.RegisterAsync("b.testdom");
        for (var i = 0; i < 20; i++)
        {
            var (dialer, leg) = await broker.JoinAsync(healthy, "testdom:5051");
            await EndAsync(dialer, leg);
        }

        Assert.Contains("Whip-Outcome: unhealthy", await broker.RefusedAsync("a.testdom:5051"));

        // An original agent says nothing, and the newest stream of the name is dialled.
        await using var original = await ScriptedAgent.RegisterAsync(broker, "a.testdom", [5051], register => register.AgentId = "");
        var (last, lastLeg) = await broker.JoinAsync(original, "a.testdom:5051");
        await EndAsync(last, lastLeg);
    }

    [Fact]
    public async Task A_port_that_is_not_published_ends_the_stream_or_the_registration()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var agent = await broker.RegisterAsync();
        foreach (var port in new uint[] { 5052, 0, 65536 + 5051, uint.MaxValue })
        {
            await using var hostile = await broker.RegisterAsync("hostile.testdom");
            await hostile.WriteAsync(new RequestStream { Health = new Health { Port = port } });
            await hostile.Ended.WaitAsync(Patience.Long);
            Assert.Equal(StatusCode.InvalidArgument, hostile.End!.Value.StatusCode);
            Assert.Equal($"health of port {port}, which hostile.testdom does not publish", hostile.End.Value.Detail);
        }

        await using var unregistered = await ScriptedAgent.OpenAsync(broker, "c.testdom");
        var register = new Register { Hostname = "c", Domain = "testdom", Ports = { 80 }, Health = { new Health { Port = 81 } } };
        await unregistered.WriteAsync(new RequestStream { Register = register });
        await unregistered.Ended.WaitAsync(Patience.Long);
        Assert.Equal(StatusCode.InvalidArgument, unregistered.End!.Value.StatusCode);
        Assert.Equal(1, broker.Parts.Streams.Count);
    }

    [Fact]
    public async Task A_flood_of_changes_ends_the_stream_and_one_that_repeats_itself_changes_nothing()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var agent = await broker.RegisterAsync();
        for (var i = 0; i < 1000; i++)
        {
            await agent.WriteAsync(new RequestStream { Health = Failing });
        }

        await TellAsync(broker, agent, Failing, unhealthy: 1);
        await using var hostile = await broker.RegisterAsync("hostile.testdom", Enumerable.Range(1, 64).ToArray());
        for (var i = 0; i < 20_000 && !hostile.Ended.IsCompleted; i++)
        {
            await hostile.WriteAsync(new RequestStream { Health = new Health { Port = 1, Ok = i % 2 == 0 } });
        }

        await hostile.Ended.WaitAsync(Patience.Long);
        Assert.Equal(StatusCode.ResourceExhausted, hostile.End!.Value.StatusCode);
        Assert.Equal("the health of the agent's ports changes too often", hostile.End.Value.Detail);
        Assert.Equal(1, broker.Parts.Streams.UnhealthyPorts);
        Assert.InRange(broker.Logs.Records.Count(record => record.Event.Name is "Unhealthy" or "Healthy"), 1, 10);
    }

    [Fact]
    public async Task What_a_later_version_says_is_a_failure_without_a_class()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var agent = await broker.RegisterAsync();
        var unknown = new Health { Port = 5051, Seconds = uint.MaxValue, Check = (CheckKind)99, Failure = (CheckFailure)99, Status = uint.MaxValue };
        await TellAsync(broker, agent, unknown, unhealthy: 1);
        Assert.Matches(@"its other check has failed since 18\d\d-.*Z \(failed\)\n$", await broker.RefusedAsync("instance1.testdom:5051"));
    }

    private static async Task TellAsync(TestBroker broker, ScriptedAgent agent, Health health, int unhealthy)
    {
        await agent.WriteAsync(new RequestStream { Health = health });
        await Patience.UntilAsync(() => broker.Parts.Streams.UnhealthyPorts == unhealthy, $"{unhealthy} unhealthy ports");
    }

    private static async Task EndAsync(params Leg[] legs)
    {
        foreach (var leg in legs)
        {
            await leg.CompleteWritesAsync();
        }

        foreach (var leg in legs)
        {
            Assert.Empty(await leg.ReadToEndAsync());
            await leg.DisposeAsync();
        }
    }
}
