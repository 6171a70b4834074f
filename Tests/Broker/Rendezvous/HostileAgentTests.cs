using Whip.Tests.Protocol.Kept;

namespace Whip.Tests.Broker.Rendezvous;

/// <summary>Which frames an agent may send in which state of its leg: a hostile one sends everything else.</summary>
public sealed class HostileAgentTests : KeptLegTest
{
    public static TheoryData<string, bool> Forbidden => StateTableTests.Forbidden;

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task Idle_an_agent_that_sends_anything_loses_the_leg(string bytes, bool tls)
    {
        var (broker, agent, _) = await StartAsync(tls);
        await using var closing = broker;
        await using var leaving = agent;
        await using var leg = await IdleAsync(broker, agent);
        await SendAsync(leg, bytes);
        await UntilKeptAsync(broker, 0);
        await AssertGoneAsync(leg);
        await using var dialer = await broker.BeginDialAsync();
        await AssertFreshAsync(agent, dialer);
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task Asked_an_agent_that_does_not_answer_loses_the_leg_and_the_dial_goes_on(string bytes, bool tls)
    {
        // Opened and wait are what it may say.
        if (bytes is "03000000" or "06000000")
        {
            return;
        }

        var (broker, agent, _) = await StartAsync(tls);
        await using var closing = broker;
        await using var leaving = agent;
        await using var leg = await IdleAsync(broker, agent);
        var (dialer, _) = await AskAsync(broker, leg);
        await using var dialing = dialer;
        await leg.WriteAsync(Frames.Wait);
        await SendAsync(leg, bytes);
        await AssertFreshAsync(agent, dialer);
        await AssertGoneAsync(leg);
    }

    [Theory, PlainAndTls]
    public async Task Asked_an_agent_that_sends_data_or_ends_loses_the_leg_and_the_dial_goes_on(bool tls)
    {
        foreach (var bytes in new[] { Frames.Data(42), Frames.End })
        {
            var (broker, agent, _) = await StartAsync(tls);
            await using var closing = broker;
            await using var leaving = agent;
            await using var leg = await IdleAsync(broker, agent);
            var (dialer, _) = await AskAsync(broker, leg);
            await using var dialing = dialer;
            await leg.WriteAsync(bytes);
            await AssertFreshAsync(agent, dialer);
            await AssertGoneAsync(leg);
        }
    }

    [Theory, PlainAndTls]
    public async Task Asked_an_agent_that_refuses_another_dial_or_says_more_loses_the_leg(bool tls)
    {
        foreach (var isOther in new[] { true, false })
        {
            var (broker, agent, _) = await StartAsync(tls);
            await using var closing = broker;
            await using var leaving = agent;
            await using var leg = await IdleAsync(broker, agent);
            var (dialer, open) = await AskAsync(broker, leg);
            await using var dialing = dialer;
            await leg.WriteAsync(isOther ? Frames.Refused("another", "no") : [.. Frames.Refused(open.ConnectionID, "no"), 42]);
            await AssertFreshAsync(agent, dialer);
            await AssertGoneAsync(leg);
        }
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task On_an_agent_that_sends_what_it_may_not_resets_the_dial(string bytes, bool tls)
    {
        var (broker, agent, _) = await StartAsync(tls);
        await using var closing = broker;
        await using var leaving = agent;
        await using var leg = await IdleAsync(broker, agent);
        var (dialer, _) = await AskAsync(broker, leg);
        await using var dialing = dialer;
        await leg.WriteAsync(Frames.Opened);
        await AssertConnectedAsync(dialer);
        await SendAsync(leg, bytes);
        await Assert.ThrowsAnyAsync<IOException>(() => dialer.ReadToEndAsync());
        await AssertGoneAsync(leg);
        await UntilKeptAsync(broker, 0);
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task On_and_ended_an_agent_that_sends_anything_resets_the_dial(string bytes, bool tls)
    {
        var (broker, agent, _) = await StartAsync(tls);
        await using var closing = broker;
        await using var leaving = agent;
        var (dialer, leg) = await BeginAsync(broker, agent);
        await using var dialing = dialer;
        await using var bringing = leg;
        await leg.WriteAsync(Frames.End);
        Assert.Empty(await dialer.ReadToEndAsync());
        await SendAsync(leg, bytes);
        await AssertGoneAsync(leg);
        await broker.AssertNothingLeftAsync();
        await UntilKeptAsync(broker, 0);
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task Both_ended_an_agent_that_does_not_say_done_loses_the_leg(string bytes, bool tls)
    {
        // Done is what it may say.
        if (bytes == "05000000")
        {
            return;
        }

        var (broker, agent, _) = await StartAsync(tls);
        await using var closing = broker;
        await using var leaving = agent;
        var (dialer, leg) = await BeginAsync(broker, agent);
        await using var bringing = leg;
        await dialer.CompleteWritesAsync();
        Assert.Equal(Frames.End, await leg.ReadExactlyAsync(4));
        await leg.WriteAsync(Frames.End);
        Assert.Empty(await dialer.ReadToEndAsync());
        await SendAsync(leg, bytes);
        await AssertGoneAsync(leg);
        await dialer.DisposeAsync();
        await broker.AssertNothingLeftAsync();
        Assert.Equal(0, broker.Parts.KeptLegs.Count);
    }

    [Theory, PlainAndTls]
    public async Task An_agent_that_says_more_behind_its_done_gets_no_other_dial(bool tls)
    {
        var (broker, agent, _) = await StartAsync(tls);
        await using var closing = broker;
        await using var leaving = agent;
        var (dialer, leg) = await BeginAsync(broker, agent);
        await using var bringing = leg;
        await dialer.CompleteWritesAsync();
        Assert.Equal(Frames.End, await leg.ReadExactlyAsync(4));
        await leg.WriteAsync((byte[])[.. Frames.End, .. Frames.Done, 42]);
        Assert.Empty(await dialer.ReadToEndAsync());
        await AssertGoneAsync(leg);
        await UntilKeptAsync(broker, 0);
    }
}
