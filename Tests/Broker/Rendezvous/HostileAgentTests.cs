using Whip.Tests.Protocol.Kept;

namespace Whip.Tests.Broker.Rendezvous;

/// <summary>Which frames an agent may send in which state of its leg: a hostile one sends everything else.</summary>
public sealed class HostileAgentTests
{
    public static TheoryData<string, bool> Forbidden => StateTableTests.Forbidden;

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task Idle_an_agent_that_sends_anything_loses_the_leg(string bytes, bool tls)
    {
        await using var run = await KeptLegRun.StartAsync(tls);
        await using var leg = await run.IdleAsync();
        await KeptLegRun.SendAsync(leg, bytes);
        await run.UntilKeptAsync(0);
        await KeptLegRun.AssertGoneAsync(leg);
        await using var dialer = await run.Broker.BeginDialAsync();
        await run.AssertFreshAsync(dialer);
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

        await using var run = await KeptLegRun.StartAsync(tls);
        await using var leg = await run.IdleAsync();
        var (dialer, _) = await run.AskAsync(leg);
        await using var dialing = dialer;
        await leg.WriteAsync(Frames.Wait);
        await KeptLegRun.SendAsync(leg, bytes);
        await run.AssertFreshAsync(dialer);
        await KeptLegRun.AssertGoneAsync(leg);
    }

    [Theory, PlainAndTls]
    public async Task Asked_an_agent_that_sends_data_or_ends_loses_the_leg_and_the_dial_goes_on(bool tls)
    {
        foreach (var bytes in new[] { Frames.Data(42), Frames.End })
        {
            await using var run = await KeptLegRun.StartAsync(tls);
            await using var leg = await run.IdleAsync();
            var (dialer, _) = await run.AskAsync(leg);
            await using var dialing = dialer;
            await leg.WriteAsync(bytes);
            await run.AssertFreshAsync(dialer);
            await KeptLegRun.AssertGoneAsync(leg);
        }
    }

    [Theory, PlainAndTls]
    public async Task Asked_an_agent_that_refuses_another_dial_or_says_more_loses_the_leg(bool tls)
    {
        foreach (var isOther in new[] { true, false })
        {
            await using var run = await KeptLegRun.StartAsync(tls);
            await using var leg = await run.IdleAsync();
            var (dialer, open) = await run.AskAsync(leg);
            await using var dialing = dialer;
            await leg.WriteAsync(isOther ? Frames.Refused("another", "no") : [.. Frames.Refused(open.ConnectionID, "no"), 42]);
            await run.AssertFreshAsync(dialer);
            await KeptLegRun.AssertGoneAsync(leg);
        }
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task On_an_agent_that_sends_what_it_may_not_resets_the_dial(string bytes, bool tls)
    {
        await using var run = await KeptLegRun.StartAsync(tls);
        await using var leg = await run.IdleAsync();
        var (dialer, _) = await run.AskAsync(leg);
        await using var dialing = dialer;
        await leg.WriteAsync(Frames.Opened);
        await KeptLegRun.AssertConnectedAsync(dialer);
        await KeptLegRun.SendAsync(leg, bytes);
        await Assert.ThrowsAnyAsync<IOException>(() => dialer.ReadToEndAsync());
        await KeptLegRun.AssertGoneAsync(leg);
        await run.UntilKeptAsync(0);
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task On_and_ended_an_agent_that_sends_anything_resets_the_dial(string bytes, bool tls)
    {
        await using var run = await KeptLegRun.StartAsync(tls);
        var (dialer, leg) = await run.BeginAsync();
        await using var dialing = dialer;
        await using var bringing = leg;
        await leg.WriteAsync(Frames.End);
        Assert.Empty(await dialer.ReadToEndAsync());
        await KeptLegRun.SendAsync(leg, bytes);
        await KeptLegRun.AssertGoneAsync(leg);
        await run.Broker.AssertNothingLeftAsync();
        await run.UntilKeptAsync(0);
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

        await using var run = await KeptLegRun.StartAsync(tls);
        var (dialer, leg) = await run.BeginAsync();
        await using var bringing = leg;
        await dialer.CompleteWritesAsync();
        Assert.Equal(Frames.End, await leg.ReadExactlyAsync(4));
        await leg.WriteAsync(Frames.End);
        Assert.Empty(await dialer.ReadToEndAsync());
        await KeptLegRun.SendAsync(leg, bytes);
        await KeptLegRun.AssertGoneAsync(leg);
        await dialer.DisposeAsync();
        await run.Broker.AssertNothingLeftAsync();
        Assert.Equal(0, run.Broker.Parts.KeptLegs.Count);
    }

    [Theory, PlainAndTls]
    public async Task An_agent_that_says_more_behind_its_done_gets_no_other_dial(bool tls)
    {
        await using var run = await KeptLegRun.StartAsync(tls);
        var (dialer, leg) = await run.BeginAsync();
        await using var bringing = leg;
        await dialer.CompleteWritesAsync();
        Assert.Equal(Frames.End, await leg.ReadExactlyAsync(4));
        await leg.WriteAsync((byte[])[.. Frames.End, .. Frames.Done, 42]);
        Assert.Empty(await dialer.ReadToEndAsync());
        await KeptLegRun.AssertGoneAsync(leg);
        await run.UntilKeptAsync(0);
    }
}
