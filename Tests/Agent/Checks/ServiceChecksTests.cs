using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Whip.Agent;
using Whip.Agent.Checks;
using Whip.Protocol.Messages;

namespace Whip.Tests.Agent.Checks;

/// <summary>What an agent makes of its checks, and tells its brokers.</summary>
public sealed class ServiceChecksTests : AgentTest
{
    [Fact]
    public async Task The_first_check_is_told_in_Register_and_later_only_what_has_changed()
    {
        var (_, _, stream) = await RegisterAsync(change: options =>
        {
            options.Ports = [ServicePort, new(1, $"{ServicePort}"), 2];
            options.Checks = ["1=tcp", "2=tcp"];
            options.CheckInterval = TimeSpan.FromMilliseconds(100);
            options.CheckThreshold = 1;
        });
        Assert.Equal(
            ["1 True Tcp Other", "2 False Tcp Refused"],
            stream.Register.Health.OrderBy(health => health.Port).Select(health => $"{health.Port} {health.Ok} {health.Check} {health.Failure}"));
        StopService();
        var changed = (await stream.NextAsync())!.Health;
        Assert.Equal((1u, false, CheckFailure.Refused), (changed.Port, changed.Ok, changed.Failure));
        StartService();
        changed = (await stream.NextAsync())!.Health;
        Assert.Equal((1u, true), (changed.Port, changed.Ok));
        var metrics = await ScrapeAsync();
        Assert.Contains("whip_agent_checks_healthy{name=\"a.testdom\",port=\"1\"} 1\n", metrics);
        Assert.Contains("whip_agent_checks_healthy{name=\"a.testdom\",port=\"2\"} 0\n", metrics);
        Assert.Contains("whip_agent_checks_total{name=\"a.testdom\",port=\"2\",outcome=\"failed\"}", metrics);
        Assert.Contains("the check tcp of port 1 passes again, after ", (await Logs.WaitForAsync(nameof(CheckLog.Passes))).Message);
    }

    [Fact]
    public async Task A_server_that_announces_nothing_is_told_nothing_more_and_a_new_stream_says_what_holds_now()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var broker = await StartBrokerAsync();
        await StartAgentAsync(
            [$"127.0.0.1:{broker.Grpc.Port}"],
            change: options =>
            {
                options.Checks = [$"{ServicePort}=tcp"];
                options.CheckInterval = TimeSpan.FromSeconds(1);
                options.CheckThreshold = 1;
            },
            time: time);
        var original = await broker.NextStreamAsync();
        Assert.True(Assert.Single(original.Register.Health).Ok);
        await original.SendAsync(new ResponseStream { Ping = new Ping { Sequence = 1 } });
        Assert.Equal(1ul, (await original.NextAsync())!.Pong.Sequence);
        StopService();
        for (var second = 1; second <= 10; second++)
        {
            await AfterCheckAsync(time, "failed", second);
        }

        await original.SendAsync(new ResponseStream { Ping = new Ping { Sequence = 2 } });
        Assert.Equal(2ul, (await original.NextAsync())!.Pong.Sequence);
        original.End(new Status(StatusCode.Unavailable, "gone"));
        await time.AdvanceUntilAsync(broker.HasCall, "another stream", TimeSpan.FromMilliseconds(100));
        Assert.False(Assert.Single((await broker.RegisterAsync()).Register.Health).Ok);
    }

    [Fact]
    public async Task As_many_checks_in_a_row_as_the_threshold_change_the_verdict_and_a_dial_is_served_all_the_same()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var broker = await StartBrokerAsync();
        await StartAgentAsync(
            [$"127.0.0.1:{broker.Grpc.Port}"],
            change: options =>
            {
                options.Checks = [$"{ServicePort}=tcp"];
                options.CheckThreshold = 3;
                options.CheckInterval = TimeSpan.FromSeconds(1);
            },
            time: time);
        var stream = await broker.RegisterAsync();
        Assert.True(Assert.Single(stream.Register.Health).Ok);
        StopService();
        await AfterCheckAsync(time, "failed", 1);
        await AfterCheckAsync(time, "failed", 2);
        StartService();
        await AfterCheckAsync(time, "passed", 2);
        StopService();
        await AfterCheckAsync(time, "failed", 3);
        await AfterCheckAsync(time, "failed", 4);
        Assert.Contains($"whip_agent_checks_healthy{{name=\"a.testdom\",port=\"{ServicePort}\"}} 1\n", await ScrapeAsync());
        await AfterCheckAsync(time, "failed", 5);
        var verdict = $"whip_agent_checks_healthy{{name=\"a.testdom\",port=\"{ServicePort}\"}} 0\n";
        await Patience.UntilAsync(async () => (await ScrapeAsync()).Contains(verdict, StringComparison.Ordinal), "the verdict");

        // The agent itself refuses nobody.
        await stream.ConnectAsync("id-1", ServicePort, connect => connect.Deadline = 60_000);
        while (await stream.NextAsync() is { } message)
        {
            if (message.ConnectFailed is { } failed)
            {
                Assert.Equal($"local port {ServicePort}: connection refused", failed.ErrorMessage);
                break;
            }
        }
    }

    [Fact]
    public async Task An_agent_whose_first_check_hangs_registers_when_its_time_has_passed_and_stops_meanwhile_too()
    {
        using var deaf = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        deaf.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        deaf.Listen();
        var port = ((IPEndPoint)deaf.LocalEndPoint!).Port;
        var (_, _, stream) = await RegisterAsync(change: options => Hang(options, TimeSpan.FromMilliseconds(100)));
        Assert.Equal(CheckFailure.Timeout, Assert.Single(stream.Register.Health).Failure);

        var hanging = new WhipAgentOptions { Hostname = "b", Domain = "testdom", Endpoints = [":1"], Tls = { Enabled = false } };
        Hang(hanging, TimeSpan.FromHours(1));
        await using var agent = new WhipAgent(hanging, Logs);
        var starting = agent.StartAsync();
        using var accepted = await deaf.AcceptAsync().WaitAsync(Patience.Long);
        using var hung = await deaf.AcceptAsync().WaitAsync(Patience.Long);
        Assert.False(starting.IsCompleted);
        await agent.StopAsync().WaitAsync(Patience.Long);
        await starting.WaitAsync(Patience.Long);

        void Hang(WhipAgentOptions options, TimeSpan timeout)
        {
            (options.Ports, options.Checks, options.CheckTimeout) = ([port], [$"{port}=http:/"], timeout);
            options.CheckInterval = TimeSpan.FromHours(1);
        }
    }

    private async Task AfterCheckAsync(FakeTimeProvider time, string outcome, int count)
    {
        var line = $"whip_agent_checks_total{{name=\"a.testdom\",port=\"{ServicePort}\",outcome=\"{outcome}\"}} {count}\n";
        time.Advance(TimeSpan.FromSeconds(1));
        await Patience.UntilAsync(async () => (await ScrapeAsync()).Contains(line, StringComparison.Ordinal), "the next check");
    }
}
