using Whip.Protocol.Legs;

namespace Whip.Tests.Broker;

/// <summary>What a broker counts, against what was done.</summary>
public sealed class BrokerMetricsTests
{
    [Fact]
    public async Task Active_registrations_counts_domains()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var first = await broker.RegisterAsync("a.one.testdom");
        await using var second = await broker.RegisterAsync("b.one.testdom");
        await using var again = await broker.RegisterAsync("b.one.testdom");
        await using var other = await broker.RegisterAsync("a.two.testdom");
        await UntilAsync(broker, "whip_server_active_registrations{domain=\"one.testdom\"} 2", "whip_server_active_registrations{domain=\"two.testdom\"} 1");
        await UntilAsync(broker, "whip_broker_streams 4");
        await first.DisposeAsync();
        await again.DisposeAsync();
        await UntilAsync(broker, "whip_server_active_registrations{domain=\"one.testdom\"} 1", "whip_broker_streams 2");
        await second.DisposeAsync();
        await UntilAsync(broker, "whip_server_active_registrations{domain=\"one.testdom\"} 0", "whip_broker_streams 1");
    }

    [Theory, PlainAndTls]
    public async Task Active_connections_goes_negative_on_a_double_close(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        var streams = new List<WhipStream>();
        for (var i = 0; i < 3; i++)
        {
            var dialing = broker.Broker.TryDialAsync(new("instance1.testdom", 5051)).AsTask();
            streams.Add(await agent.BringLegAsync(await agent.NextConnectAsync()));
            streams.Add((await dialing.WaitAsync(Patience.Long)).Stream!);
        }

        const string Active = "whip_server_active_connections{domain=\"testdom\",port=\"5051\"}";
        await UntilAsync(broker, $"{Active} 3", "whip_broker_relays 3");
        await Task.WhenAll(streams.SelectMany(stream => new[]
        {
            Task.Run(stream.Abort),
            Task.Run(async () => await stream.DisposeAsync()),
            Task.Run(stream.Dispose),
            Task.Run(stream.Abort),
        }));
        await UntilAsync(broker, $"{Active} 0", "whip_broker_relays 0");
    }

    [Fact]
    public async Task Every_dial_is_counted_by_its_outcome_once()
    {
        await using var broker = await TestBroker.StartAsync(tls: false, options => options.Limits.PendingDials = 2);
        await using var agent = await broker.RegisterAsync();
        var (dialer, leg) = await broker.JoinAsync(agent);
        await dialer.WriteAsync(new byte[1000]);
        await leg.ReadExactlyAsync(1000);
        await leg.WriteAsync(new byte[70_000]);
        await dialer.ReadExactlyAsync(70_000);
        await UntilAsync(broker, "whip_broker_relay_bytes_total{direction=\"to_agent\"} 1000", "whip_broker_relay_bytes_total{direction=\"to_dialer\"} 70000");
        leg.Abort();
        await Assert.ThrowsAnyAsync<IOException>(() => dialer.ReadToEndAsync());
        dialer.Abort();

        var refused = broker.RefusedAsync("instance1.testdom:5051");
        await agent.FailAsync(await agent.NextConnectAsync(), "no");
        await refused;
        await broker.RefusedAsync("instance1.testdom:1");
        await broker.RefusedAsync("other.testdom:5051");
        await broker.RefusedAsync("nobody.elsewhere:5051");
        await broker.RefusedAsync("instance1.testdom:5051", "Whip-Deadline: 50\r\n");
        await agent.NextConnectAsync();

        var pending = new[] { await broker.ConnectAsync(), await broker.ConnectAsync() };
        foreach (var one in pending)
        {
            await one.WriteAsync("CONNECT instance1.testdom:5051 HTTP/1.1\r\nWhip-Deadline: 60000\r\n\r\n"u8.ToArray());
            await agent.NextConnectAsync();
        }

        await UntilAsync(broker, "whip_broker_pending_dials 2");
        Assert.StartsWith("HTTP/1.1 503 ", await broker.RefusedAsync("instance1.testdom:5051"));
        Array.ForEach(pending, one => one.Abort());
        foreach (var (outcome, count) in new[]
        {
            ("connected", 1), ("agent_failed", 1), ("port_not_published", 1), ("no_such_host", 1), ("no_such_domain", 1),
            ("deadline_exceeded", 1), ("overloaded", 1), ("cancelled", 2),
        })
        {
            await UntilAsync(broker, $"whip_broker_dials_total{{outcome=\"{outcome}\",path=\"local\"}} {count}");
        }

        await UntilAsync(broker, "whip_broker_relays_ended_total{reason=\"agent_reset\"} 1", "whip_broker_pending_dials 0", "whip_broker_relays 0");
        Assert.Contains("whip_server_tcp_connection_latency_count{domain=\"testdom\",op=\"\"} 1\n", await broker.ScrapeAsync());
    }

    [Fact]
    public async Task A_name_that_is_both_is_counted_and_logged_once()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var instance = await broker.RegisterAsync("a.testdom");
        await using var member = await broker.RegisterAsync("b.a.testdom");
        for (var i = 0; i < 2; i++)
        {
            var refused = broker.RefusedAsync("a.testdom:5051");
            await instance.FailAsync(await instance.NextConnectAsync(), "asked");
            Assert.StartsWith("HTTP/1.1 502 ", await refused);
        }

        await UntilAsync(broker, "whip_broker_ambiguous_names_total 1");
        Assert.Single(broker.Logs.Records, record => record.Event.Name == "Ambiguous");
    }

    private static async Task UntilAsync(TestBroker broker, params string[] lines)
    {
        var scrape = "";
        try
        {
            await Patience.UntilAsync(
                async () =>
                {
                    scrape = await broker.ScrapeAsync();
                    return lines.All(line => scrape.Contains($"{line}\n", StringComparison.Ordinal));
                },
                string.Join(", ", lines));
        }
        catch (Exception)
        {
            Assert.Fail($"never came: {string.Join(", ", lines)}; but:\n{scrape}");
        }
    }
}
