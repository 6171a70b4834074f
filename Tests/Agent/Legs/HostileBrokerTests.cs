using Whip.Tests.Protocol.Kept;

namespace Whip.Tests.Agent.Legs;

/// <summary>Which frames a broker may send in which state of a leg: a hostile one sends everything else.</summary>
public sealed class HostileBrokerTests : KeptLegTest
{
    public static TheoryData<string, bool> Forbidden => StateTableTests.Forbidden;

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task Idle_a_broker_that_sends_anything_but_open_loses_the_leg(string bytes, bool tls)
    {
        // An open of nothing is refused as any other.
        if (bytes == "02000000")
        {
            return;
        }

        await StartAsync(tls);
        var leg = await IdleAsync();
        await SendAsync(leg, bytes);
        await AssertGoneAsync(leg);
        await UntilKeptAsync(0);
        Assert.False(HasPendingService());
    }

    [Theory, PlainAndTls]
    public async Task Idle_a_broker_that_sends_data_or_ends_loses_the_leg(bool tls)
    {
        foreach (var (bytes, id) in new[] { (Frames.Data(42), "id-1"), (Frames.End, "id-2") })
        {
            if (Agent is null)
            {
                await StartAsync(tls);
            }

            var leg = await IdleAsync(id);
            await leg.WriteAsync(bytes);
            await AssertGoneAsync(leg);
        }
    }

    [Theory, PlainAndTls]
    public async Task Idle_a_broker_that_says_more_behind_its_open_loses_the_leg(bool tls)
    {
        await StartAsync(tls);
        var leg = await IdleAsync();
        await leg.WriteAsync((byte[])[.. Frames.Open(new() { ConnectionID = "next", LocalPort = (uint)ServicePort }), .. Frames.Data(42)]);
        await AssertGoneAsync(leg);
        Assert.False(HasPendingService());
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task Asked_a_broker_that_sends_anything_loses_the_leg_and_the_local_connection(string bytes, bool tls)
    {
        await StartAsync(tls);
        var leg = await IdleAsync();
        Hold();
        await AskAsync(leg, "next");
        await Patience.UntilAsync(() => Agent.PendingConnects == 1, "the open");
        await SendAsync(leg, bytes);
        await AssertGoneAsync(leg);
        await UntilIdleAsync(Agent);
        Assert.False(HasPendingService());
        Assert.Contains("whip_agent_connects_total{outcome=\"cancelled\"} 1\n", await ScrapeAsync());
    }

    [Theory, PlainAndTls]
    public async Task Asked_a_broker_that_sends_data_or_ends_loses_the_leg_and_the_local_connection(bool tls)
    {
        await StartAsync(tls);
        foreach (var (bytes, id) in new[] { (Frames.Data(42), "id-1"), (Frames.End, "id-2") })
        {
            var leg = await IdleAsync(id);
            Hold();
            await AskAsync(leg, "next");
            await Patience.UntilAsync(() => Agent.PendingConnects == 1, "the open");
            await leg.WriteAsync(bytes);
            await AssertGoneAsync(leg);
            await UntilIdleAsync(Agent);
            Resume();
        }
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task On_a_broker_that_sends_what_it_may_not_resets_the_service(string bytes, bool tls)
    {
        await StartAsync(tls);
        var leg = await IdleAsync();
        var service = await OpenAsync(leg, "next");
        await SendAsync(leg, bytes);
        await Assert.ThrowsAnyAsync<IOException>(() => service.ReadToEndAsync());
        await AssertGoneAsync(leg);
        await UntilIdleAsync(Agent);
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task On_and_ended_a_broker_that_sends_anything_resets_the_service(string bytes, bool tls)
    {
        await StartAsync(tls);
        var leg = await IdleAsync();
        var service = await OpenAsync(leg, "next");
        await leg.WriteAsync(Frames.End);
        Assert.Empty(await service.ReadToEndAsync());
        await SendAsync(leg, bytes);
        await AssertGoneAsync(leg);
        await UntilIdleAsync(Agent);
    }

    [Theory, PlainAndTls]
    public async Task On_and_ended_a_broker_that_sends_data_ends_again_or_opens_resets_the_service(bool tls)
    {
        await StartAsync(tls);
        foreach (var (bytes, id) in new[] { (Frames.Data(42), "id-1"), (Frames.End, "id-2"), (Frames.Open(new() { ConnectionID = "x" }), "id-3") })
        {
            var leg = await IdleAsync(id);
            var service = await OpenAsync(leg, "next");
            await leg.WriteAsync((byte[])[.. Frames.End, .. bytes]);
            await AssertGoneAsync(leg);
            await UntilIdleAsync(Agent);
            await service.DisposeAsync();
        }
    }

    [Theory, PlainAndTls]
    public async Task Both_ended_a_broker_that_does_not_wait_for_done_loses_the_leg(bool tls)
    {
        await StartAsync(tls);
        var leg = await IdleAsync();
        var service = await OpenAsync(leg, "next");
        service.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        Assert.Equal(Frames.End, await leg.ReadExactlyAsync(4));
        await leg.WriteAsync((byte[])[.. Frames.End, .. Frames.Open(new() { ConnectionID = "x", LocalPort = (uint)ServicePort })]);
        await AssertGoneAsync(leg);
        await UntilIdleAsync(Agent);
        Assert.False(HasPendingService());
    }
}
