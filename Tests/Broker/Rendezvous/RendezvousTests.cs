using System.Text;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;

namespace Whip.Tests.Broker.Rendezvous;

/// <summary>What the rendezvous makes of a leg, good or bad. A bad one is closed with a line that says why, and harms no dial.</summary>
public sealed class RendezvousTests
{
    [Theory, PlainAndTls]
    public async Task One_silent_TCP_client_stops_every_rendezvous(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        await using var silent = await Leg.ConnectAsync(broker.Broker.TcpEndPoint!, default);
        await using var stuck = await Leg.ConnectAsync(broker.Broker.TcpEndPoint!, default);
        await stuck.WriteAsync(tls ? [0x16, 0x03] : "{\"connec"u8.ToArray());
        await using var wordless = await agent.OpenLegAsync();
        await Patience.UntilAsync(() => broker.Parts.Rendezvous.Gate.Count == 3, "three silent clients");
        var (dialer, leg) = await broker.JoinAsync(agent);
        await using (dialer)
        await using (leg)
        {
            await leg.WriteAsync("x"u8.ToArray());
            Assert.Equal("x"u8.ToArray(), await dialer.ReadExactlyAsync(1));
        }

        Assert.Equal(3, broker.Parts.Rendezvous.Gate.Count);
    }

    [Theory, PlainAndTls]
    public async Task The_preamble_reader_eats_the_first_bytes_of_a_server_that_speaks_first(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        for (var banner = 1; banner <= 10_000; banner *= 10)
        {
            await using var dialer = await broker.BeginDialAsync();
            var connect = await agent.NextConnectAsync();
            await using var leg = await agent.OpenLegAsync();
            var text = new string('}', banner);
            await leg.WriteAsync(Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(LegPreamble.Write(connect.ConnectionID)) + text));
            await TestBroker.ReadHeadAsync(dialer);
            Assert.Equal(text, Encoding.ASCII.GetString(await dialer.ReadExactlyAsync(banner)));
        }
    }

    [Theory, PlainAndTls]
    public async Task A_preamble_in_one_byte_pieces_is_read_whole(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.BeginDialAsync();
        var connect = await agent.NextConnectAsync();
        await using var leg = await agent.OpenLegAsync();
        foreach (var piece in Encoding.ASCII.GetBytes($$""" {"a":{"b":"}\""},"connection_iD" : "{{connect.ConnectionID}}"}SSH""".TrimStart()))
        {
            await leg.WriteAsync(new[] { piece });
        }

        await TestBroker.ReadHeadAsync(dialer);
        Assert.Equal("SSH"u8.ToArray(), await dialer.ReadExactlyAsync(3));
    }

    public static TheoryData<string, string> Bad => new()
    {
        { "\u0000\u0001\u0002", "the leg does not begin with a JSON object" },
        { "[1]", "the leg does not begin with a JSON object" },
        { "{\"connectionID\":}", "the preamble is not JSON" },
        { "{\"connectionID\":\"a\",}", "the preamble is not JSON" },
        { "{}", "the preamble names no connection" },
        { "{\"connectionID\":5}", "the preamble names no connection" },
        { "{\"connectionID\":\"\"}", "the preamble names no connection" },
        { $"{{\"connectionID\":\"{new string('a', 65)}\"}}", "the preamble names no connection" },
        { "{\"connectionID\":\"0123456789abcdef0123456789abcdef\"}", "no dial waits for this leg: it came too late, or the id was never given" },
        { "{\"connectionID\":\"\\u001b[31m\"}", "no dial waits for this leg: it came too late, or the id was never given" },
        { "{\"x\":\"" + new string('y', LegPreamble.MaxLength), "the preamble is longer than 4096 bytes" },
        { new string('{', LegPreamble.MaxLength), "the preamble is longer than 4096 bytes" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task A_bad_preamble_ends_in_a_closed_socket_and_one_line(string preamble, string why)
    {
        foreach (var tls in new[] { false, true })
        {
            await using var broker = await TestBroker.StartAsync(tls);
            await using var agent = await broker.RegisterAsync();
            await using var leg = await agent.OpenLegAsync();
            await leg.WriteAsync(Encoding.Latin1.GetBytes(preamble));
            await AssertClosedAsync(broker, leg, why);
        }
    }

    [Theory]
    [InlineData(false, "")]
    [InlineData(true, "")]
    [InlineData(false, "{\"connectionID\":\"ab")]
    [InlineData(true, "{\"connectionID\":\"ab")]
    public async Task A_truncated_preamble_is_said(bool tls, string start)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        await using var leg = await agent.OpenLegAsync();
        await leg.WriteAsync(Encoding.ASCII.GetBytes(start));
        await leg.CompleteWritesAsync();
        await AssertClosedAsync(broker, leg, tls || start.Length > 0 ? "the leg ended within its preamble" : "it ended before it sent anything");
    }

    [Theory, PlainAndTls]
    public async Task A_preamble_that_never_ends_costs_5_seconds_at_most(bool tls)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var broker = await TestBroker.StartAsync(tls, time: time);
        await using var agent = await broker.RegisterAsync();
        await using var leg = await agent.OpenLegAsync();
        await leg.WriteAsync("{\"connectionID\":\"ab"u8.ToArray());
        await time.AdvanceUntilAsync(() => broker.Logs.Records.Any(record => record.Event.Name == "LegRefused"), "the end of the leg");
        await AssertClosedAsync(broker, leg, "silent or slow for 5 s", "timeout");
    }

    [Theory, PlainAndTls]
    public async Task An_id_is_used_once(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.BeginDialAsync();
        var connect = await agent.NextConnectAsync();
        await using var leg = await agent.BringLegAsync(connect);
        await TestBroker.ReadHeadAsync(dialer);
        await using var second = await agent.BringLegAsync(connect);
        await AssertClosedAsync(broker, second, "no dial waits for this leg: it came too late, or the id was never given");
        await leg.WriteAsync("x"u8.ToArray());
        Assert.Equal("x"u8.ToArray(), await dialer.ReadExactlyAsync(1));
    }

    [Fact]
    public async Task A_leg_of_another_agents_certificate_is_refused_and_fails_the_dial()
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        await using var agent = await broker.RegisterAsync();
        var refused = broker.RefusedAsync("instance1.testdom:5051", "Whip-Deadline: 60000\r\n");
        var connect = await agent.NextConnectAsync();
        await using var stolen = await agent.OpenLegAsync("thief.testdom");
        await stolen.WriteAsync(LegPreamble.Write(connect.ConnectionID));
        await AssertClosedAsync(broker, stolen, "the certificate (thief.testdom) does not cover instance1.testdom");
        var answer = await refused;
        Assert.StartsWith("HTTP/1.1 502 ", answer);
        const string Why = "the certificate (thief.testdom) does not cover instance1.testdom";
        Assert.Contains($"instance1.testdom: its leg was refused: {Why}", answer);
        Assert.Equal(Why, (await agent.NextAsync(ResponseStream.StreamOneofCase.Cancel)).Cancel.Reason);
        await broker.AssertNothingLeftAsync();
    }

    [Theory, PlainAndTls]
    public async Task A_leg_that_breaks_within_its_preamble_leaves_the_dial_waiting_for_a_better_one(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.BeginDialAsync();
        Connect connect = await agent.NextConnectAsync();
        var broken = await agent.OpenLegAsync();
        await broken.WriteAsync("{\"conn"u8.ToArray());
        broken.Abort();
        Assert.Contains("the connection broke", (await broker.Logs.WaitForAsync("LegRefused")).Message);
        await using var leg = await agent.BringLegAsync(connect);
        Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(dialer));
    }

    private static async Task AssertClosedAsync(TestBroker broker, Leg leg, string why, string reason = "refused")
    {
        await Assert.ThrowsAnyAsync<IOException>(() => leg.ReadToEndAsync());
        var line = (await broker.Logs.WaitForAsync("LegRefused")).Message;
        Assert.Equal($"rendezvous connection from {leg.LocalEndPoint} refused: {why}", line);
        Assert.Single(broker.Logs.Records, record => record.Event.Name == "LegRefused");
        Assert.Contains($"whip_broker_rejected_connections_total{{listener=\"rendezvous\",reason=\"{reason}\"}} 1\n", await broker.ScrapeAsync());
        await Patience.UntilAsync(() => broker.Parts.Rendezvous is { ConnectionCount: 0, Gate.Count: 0 }, "nothing left of the leg");
    }
}
