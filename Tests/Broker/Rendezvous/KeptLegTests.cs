using System.Text;
using Whip.Protocol.Messages;

namespace Whip.Tests.Broker.Rendezvous;

/// <summary>What a broker does with the legs of an agent that keeps them.</summary>
public sealed class KeptLegTests
{
    [Theory, PlainAndTls]
    public async Task A_thousand_dials_and_one_go_over_one_leg_each_clean(bool tls)
    {
        await using var run = await KeptLegRun.StartAsync(tls);
        await using var leg = await run.IdleAsync();
        var ids = new HashSet<string>();
        for (var i = 0; i < 1000; i++)
        {
            var (dialer, open) = await run.AskAsync(leg);
            Assert.True(ids.Add(open.ConnectionID));
            await leg.WriteAsync(Frames.Opened);
            await KeptLegRun.AssertConnectedAsync(dialer);
            await run.EndAsync(dialer, leg);
        }

        await run.Broker.AssertNothingLeftAsync();
        Assert.Contains("whip_broker_kept_reused_total{listener=\"rendezvous\"} 1000\n", await run.Broker.ScrapeAsync());
        Assert.Contains("whip_broker_kept_connections{listener=\"rendezvous\"} 1\n", await run.Broker.ScrapeAsync());
        Assert.Contains("whip_broker_relays 0\n", await run.Broker.ScrapeAsync());
    }

    [Theory, PlainAndTls]
    public async Task An_open_tells_what_a_Connect_does(bool tls)
    {
        await using var run = await KeptLegRun.StartAsync(tls);
        await using var leg = await run.IdleAsync();
        var (dialer, open) = await run.AskAsync(leg);
        await using var dialing = dialer;
        Assert.Equal(5051u, open.LocalPort);
        Assert.Equal(tls ? ["dialer.testdom"] : [], open.Dialer);
        Assert.Equal(tls, open.DialerId.Length > 0);
        Assert.InRange(open.Deadline, 1u, 5000u);
        Assert.Equal(1, run.Broker.Parts.Budget.Pending);
        Assert.Equal(0, run.Broker.Parts.KeptLegs.Count);
        dialer.Abort();
        await run.Broker.AssertNothingLeftAsync();
    }

    [Theory, PlainAndTls]
    public async Task A_service_that_speaks_first_is_heard_behind_opened(bool tls)
    {
        await using var run = await KeptLegRun.StartAsync(tls);
        await using var leg = await run.IdleAsync();
        var (dialer, _) = await run.AskAsync(leg);
        await using var dialing = dialer;
        await leg.WriteAsync((byte[])[.. Frames.Wait, .. Frames.Wait, .. Frames.Opened, .. Frames.Data([.. "SSH-2.0-x"u8])]);
        await KeptLegRun.AssertConnectedAsync(dialer);
        Assert.Equal("SSH-2.0-x", Encoding.ASCII.GetString(await dialer.ReadExactlyAsync(9)));
    }

    [Theory, PlainAndTls]
    public async Task A_refusal_is_that_of_a_ConnectFailed_and_the_leg_is_idle_again(bool tls)
    {
        await using var run = await KeptLegRun.StartAsync(tls);
        await using var leg = await run.IdleAsync();
        var (dialer, open) = await run.AskAsync(leg);
        await leg.WriteAsync(Frames.Refused(open.ConnectionID, "local port 5051: connection\nrefused"));
        var answer = Encoding.ASCII.GetString(await dialer.ReadToEndAsync());
        Assert.StartsWith("HTTP/1.1 502 ", answer);
        Assert.Contains("instance1.testdom: local port 5051: connection?refused", answer);
        await run.UntilKeptAsync(1);
        await dialer.DisposeAsync();
        var (next, _) = await run.AskAsync(leg);
        await leg.WriteAsync(Frames.Opened);
        await KeptLegRun.AssertConnectedAsync(next);
        await run.EndAsync(next, leg);
    }

    [Theory, PlainAndTls]
    public async Task The_newest_is_used_first(bool tls)
    {
        await using var run = await KeptLegRun.StartAsync(tls);
        var (first, older) = await run.BeginAsync();
        var (second, newer) = await run.BeginAsync();
        await run.EndAsync(first, older);
        await run.EndAsync(second, newer);
        var (third, _) = await run.AskAsync(newer);
        Assert.Equal(1, run.Broker.Parts.KeptLegs.Count);
        third.Abort();
        await run.Broker.AssertNothingLeftAsync();
        await older.DisposeAsync();
        await newer.DisposeAsync();
    }

    [Theory, PlainAndTls]
    public async Task A_silent_leg_is_stale_and_so_are_those_idle_as_long(bool tls)
    {
        await using var run = await KeptLegRun.StartAsync(tls);
        var (first, older) = await run.BeginAsync();
        var (second, newer) = await run.BeginAsync();
        await run.EndAsync(first, older);
        await run.EndAsync(second, newer);
        var (dialer, _) = await run.AskAsync(newer);
        await using var dialing = dialer;
        run.Time.Advance(TimeSpan.FromMilliseconds(401));
        await run.AssertFreshAsync(dialer);
        await KeptLegRun.AssertGoneAsync(older);
        await Assert.ThrowsAnyAsync<IOException>(() => newer.ReadToEndAsync());
        Assert.Contains("whip_broker_kept_stale_total{listener=\"rendezvous\"} 2\n", await run.Broker.ScrapeAsync());
        Assert.Contains(run.Broker.Logs.Records, record => record.Event.Name == "StaleLeg");
    }

    [Theory, PlainAndTls]
    public async Task A_dialer_that_goes_before_the_answer_resets_the_leg_and_sends_no_Cancel(bool tls)
    {
        await using var run = await KeptLegRun.StartAsync(tls);
        await using var leg = await run.IdleAsync();
        var (dialer, _) = await run.AskAsync(leg);
        dialer.Abort();
        await Assert.ThrowsAnyAsync<IOException>(() => leg.ReadToEndAsync());
        await run.Broker.AssertNothingLeftAsync();
        Assert.Equal(0, run.Broker.Parts.KeptLegs.Count);
        var next = await run.Broker.BeginDialAsync();
        Assert.Equal(ResponseStream.StreamOneofCase.Connect, (await run.Agent.NextAsync(
            ResponseStream.StreamOneofCase.Connect, ResponseStream.StreamOneofCase.Cancel)).StreamCase);
        next.Abort();
        await run.Broker.AssertNothingLeftAsync();
    }

    [Theory, PlainAndTls]
    public async Task A_deadline_that_passes_before_the_answer_resets_the_leg(bool tls)
    {
        await using var run = await KeptLegRun.StartAsync(tls);
        await using var leg = await run.IdleAsync();
        await using var dialer = await run.Broker.BeginDialAsync(headers: "Whip-Deadline: 300\r\n");
        Assert.InRange((await leg.ReadOpenAsync()).Deadline, 1u, 300u);
        run.Time.Advance(TimeSpan.FromMilliseconds(301));
        Assert.StartsWith("HTTP/1.1 504 ", await TestBroker.ReadHeadAsync(dialer));
        await Assert.ThrowsAnyAsync<IOException>(() => leg.ReadToEndAsync());
    }

    [Theory, PlainAndTls]
    public async Task A_control_stream_that_ends_takes_its_idle_legs_and_its_opens_along(bool tls)
    {
        await using var run = await KeptLegRun.StartAsync(tls);
        var (first, idle) = await run.BeginAsync();
        var (second, asked) = await run.BeginAsync();
        await run.EndAsync(first, idle);
        await run.EndAsync(second, asked);
        var (dialer, _) = await run.AskAsync(asked);
        await using var dialing = dialer;
        await run.Agent.DisposeAsync();

        // Of the stream, or of the name that has no other.
        Assert.Matches("^HTTP/1.1 (502|404) ", await TestBroker.ReadHeadAsync(dialer));
        await Assert.ThrowsAnyAsync<IOException>(() => asked.ReadToEndAsync());
        await KeptLegRun.AssertGoneAsync(idle);
        await run.UntilKeptAsync(0);
    }
}
