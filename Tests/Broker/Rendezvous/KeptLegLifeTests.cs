using Whip.Broker;
using Whip.Protocol.Legs;

namespace Whip.Tests.Broker.Rendezvous;

/// <summary>How long a broker keeps a leg, and what it checks before each dial.</summary>
public sealed class KeptLegLifeTests : KeptLegTest
{
    [Fact]
    public async Task Each_dial_is_judged_by_the_policy_of_its_time()
    {
        using var folder = new TempFolder();
        var path = folder.Write("policy", """[{"dialer": "*", "name": "*", "allow": true}]""");
        var (broker, agent, _) = await StartAsync(tls: true, options => options.DialPolicyPath = path);
        await using var closing = broker;
        await using var leaving = agent;
        await using var leg = await IdleAsync(broker, agent);
        File.WriteAllText(path, "[]");
        broker.Parts.Files.Look(atOnce: true);
        Assert.StartsWith("HTTP/1.1 403 ", await broker.RefusedAsync($"{Name}:5051"));
        Assert.Equal(1, broker.Parts.KeptLegs.Count);
    }

    [Fact]
    public async Task An_agent_that_is_denied_loses_its_idle_legs_at_once_and_its_dial()
    {
        using var folder = new TempFolder();
        var deny = folder.Write("deny", "");
        var (broker, agent, _) = await StartAsync(tls: true, options => options.Tls.DenyPath = deny);
        await using var closing = broker;
        await using var leaving = agent;
        var (dialer, busy) = await BeginAsync(broker, agent);
        await using var dialing = dialer;
        var idle = await IdleAsync(broker, agent);
        File.WriteAllText(deny, Name);
        broker.Parts.Files.Look(atOnce: true);
        await AssertGoneAsync(idle);
        await AssertGoneAsync(busy);
        await Assert.ThrowsAnyAsync<IOException>(() => dialer.ReadToEndAsync());
        await UntilKeptAsync(broker, 0);
    }

    [Fact]
    public async Task A_leg_from_before_a_new_certificate_serves_no_other_dial()
    {
        WhipBrokerOptions? files = null;
        var (broker, agent, _) = await StartAsync(tls: true, options => files = options);
        await using var closing = broker;
        await using var leaving = agent;
        var (dialer, busy) = await BeginAsync(broker, agent);
        var idle = await IdleAsync(broker, agent);
        File.AppendAllText(files!.Tls.CaCertPath!, "\n");
        broker.Parts.Files.Look(atOnce: true);
        await using var next = await broker.BeginDialAsync();
        await AssertFreshAsync(agent, next);
        await AssertGoneAsync(idle);
        await dialer.CompleteWritesAsync();
        Assert.Equal(Frames.End, await busy.ReadExactlyAsync(4));
        await busy.WriteAsync((byte[])[.. Frames.Data(8), .. Frames.End, .. Frames.Done]);
        Assert.Equal([8], await dialer.ReadToEndAsync());
        await AssertGoneAsync(busy);
        await UntilKeptAsync(broker, 0);
    }

    [Fact]
    public async Task A_leg_serves_no_dial_past_the_certificate_of_its_agent()
    {
        var (broker, agent, time) = await StartAsync(tls: true);
        await using var closing = broker;
        await using var leaving = agent;
        var dialer = await broker.BeginDialAsync();
        var connect = await agent.NextConnectAsync();
        var leg = await Leg.ConnectAsync(broker.Broker.TcpEndPoint!, default);
        var ending = Certificates.ClientLeaf(Name) with { NotAfter = DateTimeOffset.UtcNow.AddSeconds(20) };
        await leg.AuthenticateAsClientAsync(TestCertificates.Shared.Identity(ending), "127.0.0.1", default);
        await leg.WriteAsync(LegPreamble.Write(connect.ConnectionID));
        await AssertConnectedAsync(dialer);
        await EndAsync(broker, dialer, leg);
        await PassAsync(broker, time, steps: 4);
        await AssertGoneAsync(leg);
        await UntilKeptAsync(broker, 0);
        await using var next = await broker.BeginDialAsync();
        await AssertFreshAsync(agent, next);
    }

    [Theory, PlainAndTls]
    public async Task An_idle_leg_is_let_go_of_before_its_agent_does(bool tls)
    {
        var (broker, agent, time) = await StartAsync(tls);
        await using var closing = broker;
        await using var leaving = agent;
        await using var leg = await IdleAsync(broker, agent);
        await PassAsync(broker, time, steps: 6);
        Assert.Equal(1, broker.Parts.KeptLegs.Count);
        await PassAsync(broker, time, steps: 5);
        await AssertGoneAsync(leg);
        await UntilKeptAsync(broker, 0);
        Assert.Contains("whip_broker_kept_stale_total{listener=\"rendezvous\"} 1\n", await broker.ScrapeAsync());
    }

    [Theory, PlainAndTls]
    public async Task A_drain_closes_the_idle_ones_and_keeps_none(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls, options => options.DrainTimeout = Patience.Long);
        await using var agent = await RegisterAsync(broker);
        var (dialer, busy) = await BeginAsync(broker, agent);
        var idle = await IdleAsync(broker, agent);
        var stopping = broker.Broker.StopAsync();
        await AssertGoneAsync(idle);
        await dialer.CompleteWritesAsync();
        Assert.Equal(Frames.End, await busy.ReadExactlyAsync(4));
        await busy.WriteAsync((byte[])[.. Frames.Data(8), .. Frames.End, .. Frames.Done]);
        Assert.Equal([8], await dialer.ReadToEndAsync());
        await dialer.DisposeAsync();
        await AssertGoneAsync(busy);
        await stopping.WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task A_plain_one_that_is_idle_makes_room_for_a_stranger()
    {
        var (broker, agent, _) = await StartAsync(tls: false, options => options.Limits.UnauthenticatedConnections = 1);
        await using var closing = broker;
        await using var leaving = agent;
        await using var leg = await IdleAsync(broker, agent);
        await using var stranger = await Leg.ConnectAsync(broker.Broker.TcpEndPoint!, default);
        await AssertGoneAsync(leg);
        await UntilKeptAsync(broker, 0);
    }

    [Theory, PlainAndTls]
    public async Task The_oldest_idle_one_is_the_first_to_go_when_descriptors_run_out(bool tls)
    {
        var budget = Descriptors.Of(300);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var broker = await TestBroker.StartAsync(tls, time: time, descriptors: budget);
        await using var agent = await RegisterAsync(broker);
        var (first, older) = await BeginAsync(broker, agent);
        var (second, newer) = await BeginAsync(broker, agent);
        await EndAsync(broker, first, older);
        await EndAsync(broker, second, newer);
        while (CountIdle() == 2)
        {
            Assert.True(budget.TryTake());
        }

        await AssertGoneAsync(older);
        await UntilKeptAsync(broker, 1);
        await newer.DisposeAsync();

        // The place is free at once; a pool hears of it from the connection.
        int CountIdle() => tls ? broker.Parts.KeptLegs.Count : broker.Parts.Rendezvous.Gate.Count;
    }

    /// <summary>Lets six seconds pass a number of times. Each time the agent answers a ping, so that its control stream lives.</summary>
    private static async Task PassAsync(TestBroker broker, FakeTimeProvider time, int steps)
    {
        var stream = broker.Parts.Streams.All.Single();
        for (var i = 0; i < steps; i++)
        {
            time.Advance(TimeSpan.FromSeconds(6));
            await Patience.UntilAsync(() => stream.Pings.Read().SincePong == TimeSpan.Zero, "a pong");
        }
    }
}
