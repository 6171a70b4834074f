using Whip.Broker;
using Whip.Protocol.Legs;

namespace Whip.Tests.Broker.Rendezvous;

/// <summary>How long a broker keeps a leg, and what it checks before each dial.</summary>
public sealed class KeptLegLifeTests
{
    [Fact]
    public async Task Each_dial_is_judged_by_the_policy_of_its_time()
    {
        using var folder = new TempFolder();
        var path = folder.Write("policy", """[{"dialer": "*", "name": "*", "allow": true}]""");
        await using var run = await KeptLegRun.StartAsync(tls: true, options => options.DialPolicyPath = path);
        await using var leg = await run.IdleAsync();
        File.WriteAllText(path, "[]");
        run.Broker.Parts.Files.Look(atOnce: true);
        Assert.StartsWith("HTTP/1.1 403 ", await run.Broker.RefusedAsync($"{KeptLegRun.Name}:5051"));
        Assert.Equal(1, run.Broker.Parts.KeptLegs.Count);
    }

    [Fact]
    public async Task An_agent_that_is_denied_loses_its_idle_legs_at_once_and_its_dial()
    {
        using var folder = new TempFolder();
        var deny = folder.Write("deny", "");
        await using var run = await KeptLegRun.StartAsync(tls: true, options => options.Tls.DenyPath = deny);
        var (dialer, busy) = await run.BeginAsync();
        await using var dialing = dialer;
        var idle = await run.IdleAsync();
        File.WriteAllText(deny, KeptLegRun.Name);
        run.Broker.Parts.Files.Look(atOnce: true);
        await KeptLegRun.AssertGoneAsync(idle);
        await KeptLegRun.AssertGoneAsync(busy);
        await Assert.ThrowsAnyAsync<IOException>(() => dialer.ReadToEndAsync());
        await run.UntilKeptAsync(0);
    }

    [Fact]
    public async Task A_leg_from_before_a_new_certificate_serves_no_other_dial()
    {
        WhipBrokerOptions? files = null;
        await using var run = await KeptLegRun.StartAsync(tls: true, options => files = options);
        var (dialer, busy) = await run.BeginAsync();
        var idle = await run.IdleAsync();
        File.AppendAllText(files!.Tls.CaCertPath!, "\n");
        run.Broker.Parts.Files.Look(atOnce: true);
        await using var next = await run.Broker.BeginDialAsync();
        await run.AssertFreshAsync(next);
        await KeptLegRun.AssertGoneAsync(idle);
        await dialer.CompleteWritesAsync();
        Assert.Equal(Frames.End, await busy.ReadExactlyAsync(4));
        await busy.WriteAsync((byte[])[.. Frames.Data(8), .. Frames.End, .. Frames.Done]);
        Assert.Equal([8], await dialer.ReadToEndAsync());
        await KeptLegRun.AssertGoneAsync(busy);
        await run.UntilKeptAsync(0);
    }

    [Fact]
    public async Task A_leg_serves_no_dial_past_the_certificate_of_its_agent()
    {
        await using var run = await KeptLegRun.StartAsync(tls: true);
        var dialer = await run.Broker.BeginDialAsync();
        var connect = await run.Agent.NextConnectAsync();
        var leg = await Leg.ConnectAsync(run.Broker.Broker.TcpEndPoint!, default);
        var ending = Certificates.ClientLeaf(KeptLegRun.Name) with { NotAfter = DateTimeOffset.UtcNow.AddSeconds(20) };
        await leg.AuthenticateAsClientAsync(TestCertificates.Shared.Identity(ending), "127.0.0.1", default);
        await leg.WriteAsync(LegPreamble.Write(connect.ConnectionID));
        await KeptLegRun.AssertConnectedAsync(dialer);
        await run.EndAsync(dialer, leg);
        await PassAsync(run, steps: 4);
        await KeptLegRun.AssertGoneAsync(leg);
        await run.UntilKeptAsync(0);
        await using var next = await run.Broker.BeginDialAsync();
        await run.AssertFreshAsync(next);
    }

    [Theory, PlainAndTls]
    public async Task An_idle_leg_is_let_go_of_before_its_agent_does(bool tls)
    {
        await using var run = await KeptLegRun.StartAsync(tls);
        await using var leg = await run.IdleAsync();
        await PassAsync(run, steps: 6);
        Assert.Equal(1, run.Broker.Parts.KeptLegs.Count);
        await PassAsync(run, steps: 5);
        await KeptLegRun.AssertGoneAsync(leg);
        await run.UntilKeptAsync(0);
        Assert.Contains("whip_broker_kept_stale_total{listener=\"rendezvous\"} 1\n", await run.Broker.ScrapeAsync());
    }

    [Theory, PlainAndTls]
    public async Task A_drain_closes_the_idle_ones_and_keeps_none(bool tls)
    {
        await using var run = await KeptLegRun.StartAsync(await TestBroker.StartAsync(tls, options => options.DrainTimeout = Patience.Long));
        var (dialer, busy) = await run.BeginAsync();
        var idle = await run.IdleAsync();
        var stopping = run.Broker.Broker.StopAsync();
        await KeptLegRun.AssertGoneAsync(idle);
        await dialer.CompleteWritesAsync();
        Assert.Equal(Frames.End, await busy.ReadExactlyAsync(4));
        await busy.WriteAsync((byte[])[.. Frames.Data(8), .. Frames.End, .. Frames.Done]);
        Assert.Equal([8], await dialer.ReadToEndAsync());
        await dialer.DisposeAsync();
        await KeptLegRun.AssertGoneAsync(busy);
        await stopping.WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task A_plain_one_that_is_idle_makes_room_for_a_stranger()
    {
        await using var run = await KeptLegRun.StartAsync(tls: false, options => options.Limits.UnauthenticatedConnections = 1);
        await using var leg = await run.IdleAsync();
        await using var stranger = await Leg.ConnectAsync(run.Broker.Broker.TcpEndPoint!, default);
        await KeptLegRun.AssertGoneAsync(leg);
        await run.UntilKeptAsync(0);
    }

    [Theory, PlainAndTls]
    public async Task The_oldest_idle_one_is_the_first_to_go_when_descriptors_run_out(bool tls)
    {
        var budget = Descriptors.Of(300);
        await using var run = await KeptLegRun.StartAsync(tls, descriptors: budget);
        var (first, older) = await run.BeginAsync();
        var (second, newer) = await run.BeginAsync();
        await run.EndAsync(first, older);
        await run.EndAsync(second, newer);
        while (CountIdle() == 2)
        {
            Assert.True(budget.TryTake());
        }

        await KeptLegRun.AssertGoneAsync(older);
        await run.UntilKeptAsync(1);
        await newer.DisposeAsync();

        // The place is free at once; a pool hears of it from the connection.
        int CountIdle() => tls ? run.Broker.Parts.KeptLegs.Count : run.Broker.Parts.Rendezvous.Gate.Count;
    }

    /// <summary>Lets six seconds pass a number of times. Each time the agent answers a ping, so that its control stream lives.</summary>
    private static async Task PassAsync(KeptLegRun run, int steps)
    {
        var stream = run.Broker.Parts.Streams.All.Single();
        for (var i = 0; i < steps; i++)
        {
            run.Time.Advance(TimeSpan.FromSeconds(6));
            await Patience.UntilAsync(() => stream.Pings.Read().SincePong == TimeSpan.Zero, "a pong");
        }
    }
}
