using System.Text;
using Whip.Protocol.Messages;

namespace Whip.Tests.Broker.DialFront;

/// <summary>One dial after the other on a connection to the dial front, with the dialer's side played by hand.</summary>
public sealed class KeptDialTests : KeptDialTest
{
    [Theory, PlainAndTls]
    public async Task A_connection_carries_one_dial_after_the_other(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.ConnectAsync();
        for (var i = 0; i < 3; i++)
        {
            await ExchangeAsync(broker, agent, dialer, (byte)i);
            await UntilIdleAsync(broker, 1);
        }

        Assert.Contains("whip_broker_kept_connections{listener=\"dial\"} 1\n", await broker.ScrapeAsync());
        Assert.Contains("whip_broker_kept_reused_total{listener=\"dial\"} 2\n", await broker.ScrapeAsync());
        Assert.Contains("whip_broker_relay_bytes_total{direction=\"to_agent\"} 3\n", await broker.ScrapeAsync());
        await broker.AssertNothingLeftAsync();
        await dialer.DisposeAsync();
        await UntilIdleAsync(broker, 0);
    }

    [Theory]
    [InlineData("Whip-Keep: 0123456789abcdef\r\n")]
    [InlineData("Connection: Whip-Keep\r\n")]
    [InlineData("Connection: keep-alive\r\nWhip-Keep: 0123456789abcdef\r\n")]
    [InlineData(Keep + "Via: 1.1 proxy\r\n")]
    [InlineData(Keep + "Forwarded: for=192.0.2.1\r\n")]
    [InlineData("Connection: Whip-Keep\r\nWhip-Keep: 0123456789abcdef\n")]
    public async Task Who_does_not_ask_as_it_is_written_gets_the_bare_stream(string headers)
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.BeginDialAsync(Target, headers);
        await using var leg = await agent.BringLegAsync(await agent.NextConnectAsync());
        Assert.Equal("HTTP/1.1 200 Connection established\r\n\r\n", await TestBroker.ReadHeadAsync(dialer));
        await leg.WriteAsync("bare"u8.ToArray());
        await leg.CompleteWritesAsync();
        Assert.Equal("bare"u8.ToArray(), await dialer.ReadToEndAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("0123456789abcde")]
    [InlineData("0123456789abcdefa")]
    [InlineData("0123456789abcdeg")]
    public async Task A_word_that_is_not_sixteen_digits_is_refused(string token)
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        var answer = await broker.RefusedAsync(Target, $"Connection: Whip-Keep\r\nWhip-Keep: {token}\r\n");
        Assert.StartsWith("HTTP/1.1 400 ", answer);
        Assert.Contains("Connection: close\r\n", answer);
    }

    [Theory, PlainAndTls]
    public async Task A_refusal_leaves_the_connection_to_the_next_dial(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.ConnectAsync();
        await AskAsync(dialer, "nobody.elsewhere:1");
        Assert.Contains("no agent is registered", await ReadRefusalAsync(dialer, 404));
        await AskAsync(dialer, "instance1.testdom:1");
        Assert.Contains("does not publish", await ReadRefusalAsync(dialer, 403));
        await AskAsync(dialer, Target);
        await agent.FailAsync(await agent.NextConnectAsync(), "local port closed");
        Assert.Contains("local port closed", await ReadRefusalAsync(dialer, 502));
        await ExchangeAsync(broker, agent, dialer, 7);
        await broker.AssertNothingLeftAsync();
    }

    [Theory, PlainAndTls]
    public async Task A_dial_that_does_not_ask_to_keep_is_the_last_of_its_connection(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.ConnectAsync();
        await ExchangeAsync(broker, agent, dialer, 7);
        await dialer.WriteAsync(Encoding.ASCII.GetBytes($"CONNECT {Target} HTTP/1.1\r\n\r\n"));
        await using var leg = await agent.BringLegAsync(await agent.NextConnectAsync());
        Assert.Equal("HTTP/1.1 200 Connection established\r\n\r\n", await TestBroker.ReadHeadAsync(dialer));
        await dialer.CompleteWritesAsync();
        Assert.Empty(await leg.ReadToEndAsync());
        await leg.CompleteWritesAsync();
        Assert.Empty(await dialer.ReadToEndAsync());
        await broker.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(false, "behind the head")]
    [InlineData(true, "behind the head")]
    [InlineData(false, "later")]
    [InlineData(true, "later")]
    [InlineData(false, "end")]
    [InlineData(true, "end")]
    public async Task Asked_a_dialer_that_says_anything_is_reset_and_its_dial_cancelled(bool tls, string how)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.ConnectAsync();
        await AskAsync(dialer, Target, "Whip-Deadline: 60000\r\n", how == "behind the head" ? "x" : "");
        if (how != "behind the head")
        {
            var connect = await agent.NextConnectAsync();
            await (how == "end" ? dialer.CompleteWritesAsync() : dialer.WriteAsync(new byte[1]));
            Assert.Equal(connect.ConnectionID, (await agent.NextAsync(ResponseStream.StreamOneofCase.Cancel)).Cancel.ConnectionID);
        }

        await Assert.ThrowsAnyAsync<IOException>(() => dialer.ReadToEndAsync());
        await broker.AssertNothingLeftAsync();
        Assert.Equal(0, broker.Parts.Kept.Count);
    }

    [Theory]
    [InlineData(false, "00000001 2A")]
    [InlineData(true, "00000001 2A")]
    [InlineData(false, "01000000")]
    [InlineData(true, "05000000")]
    [InlineData(false, "474554202F20485454502F312E310D0A0D0A")]
    public async Task Idle_a_dialer_that_sends_anything_but_CONNECT_is_refused(bool tls, string bytes)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.ConnectAsync();
        await ExchangeAsync(broker, agent, dialer, 7);
        await dialer.WriteAsync(Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal)));
        await dialer.WriteAsync("\r\n\r\n"u8.ToArray());
        Assert.StartsWith("HTTP/1.1 400 ", await TestBroker.ReadHeadAsync(dialer));
        dialer.Abort();
        await broker.AssertNothingLeftAsync();
        Assert.Equal(0, broker.Parts.Kept.Count);
    }

    [Theory, PlainAndTls]
    public async Task A_dialer_that_breaks_the_rules_of_a_dial_takes_nobody_with_it(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        await using var other = await broker.ConnectAsync();
        var (otherLeg, _) = await OpenAsync(agent, other);
        await using (otherLeg)
        {
            await using var dialer = await broker.ConnectAsync();
            var (leg, _) = await OpenAsync(agent, dialer);
            await dialer.WriteAsync(new byte[] { 2, 0, 0, 0 });
            await Assert.ThrowsAnyAsync<IOException>(() => leg.ReadToEndAsync());
            await Assert.ThrowsAnyAsync<IOException>(() => dialer.ReadToEndAsync());
            leg.Abort();
            await other.WriteAsync(new byte[] { 0, 0, 0, 1, 42 });
            Assert.Equal([42], await otherLeg.ReadExactlyAsync(1));
        }
    }

    [Theory, PlainAndTls]
    public async Task A_dial_on_a_reused_connection_is_reported_on_before_it_looks_stale(bool tls)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var broker = await TestBroker.StartAsync(tls, time: time);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.ConnectAsync();
        await ExchangeAsync(broker, agent, dialer, 7);
        await AskAsync(dialer, Target, "Whip-Progress: accept\r\n");
        var connect = await agent.NextConnectAsync();
        time.Advance(TimeSpan.FromMilliseconds(150));
        Assert.Equal("HTTP/1.1 102 Processing\r\n\r\n", await TestBroker.ReadHeadAsync(dialer));
        await using var leg = await agent.BringLegAsync(connect);
        Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(dialer));
    }
}
