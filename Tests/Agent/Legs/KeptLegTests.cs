using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Whip.Agent;
using Whip.Hosting.Programs;
using Whip.Protocol.Messages;

namespace Whip.Tests.Agent.Legs;

/// <summary>What an agent does with a leg after its first dial.</summary>
public sealed class KeptLegTests : KeptLegTest
{
    [Theory, PlainAndTls]
    public async Task A_hundred_dials_go_over_one_leg_each_clean(bool tls)
    {
        await StartAsync(tls);
        var leg = await IdleAsync();
        for (var i = 0; i < 100; i++)
        {
            await EndAsync(leg, await OpenAsync(leg, $"id-{i}"));
        }

        await UntilKeptAsync(1);
        Assert.False(Broker.HasPendingLeg());
        Assert.Contains("whip_agent_kept_reused_total 100\n", await ScrapeAsync());
        Assert.Contains("whip_agent_connects_total{outcome=\"connected\"} 101\n", await ScrapeAsync());
        Assert.Contains($"whip_client_active_connections{{domain=\"testdom\",port=\"{ServicePort}\"}} 0\n", await ScrapeAsync());
    }

    [Theory, PlainAndTls]
    public async Task Each_open_is_judged_as_a_Connect_is(bool tls)
    {
        await StartAsync(tls, options => options.AllowDialers = ["good.*"]);
        await Stream.ConnectAsync("first", ServicePort, connect => connect.Keep = true);
        Assert.Equal("dialer: not allowed", await Stream.FailureAsync("first"));
        await Stream.ConnectAsync("second", ServicePort, connect =>
        {
            connect.Keep = true;
            connect.Dialer.Add("good.dialer");
        });
        var leg = Closing(await Broker.AcceptLegAsync("second"));
        await EndAsync(leg, Closing(await AcceptServiceAsync()));
        await AssertRefusedAsync(leg, "id-1", "dialer: not allowed");
        await AssertRefusedAsync(leg, "id-2", "dialer: not allowed", open => open.Dialer.Add("bad.dialer"));
        await AssertRefusedAsync(leg, "id-3", "local port 1: not published", open => open.LocalPort = 1);
        await AssertRefusedAsync(leg, "a\"b", "connection id: not one", open => open.Dialer.Add("good.dialer"));
        Assert.False(HasPendingService());
        await AskAsync(leg, "id-4", open => open.Dialer.Add("good.dialer"));
        Assert.Equal(Frames.Opened, await leg.ReadExactlyAsync(4));
        await EndAsync(leg, Closing(await AcceptServiceAsync()));
    }

    [Fact]
    public async Task A_dialer_that_is_denied_meanwhile_is_refused_and_its_dial_cut()
    {
        using var folder = new TempFolder();
        var deny = folder.Write("deny", "");
        await StartAsync(tls: true, options => options.Tls.DenyPath = deny);
        var leg = await IdleAsync();
        await AskAsync(leg, "id-1", open => open.Dialer.Add("mallory.testdom"));
        Assert.Equal(Frames.Opened, await leg.ReadExactlyAsync(4));
        var service = Closing(await AcceptServiceAsync());
        var other = await IdleAsync("other");
        File.WriteAllText(deny, "mallory.testdom");
        ((IWhipProgram)Agent).Reload();
        await Assert.ThrowsAnyAsync<IOException>(() => service.ReadToEndAsync());
        await AssertGoneAsync(leg);
        await AssertRefusedAsync(other, "id-2", "dialer: denied", open => open.Dialer.Add("mallory.testdom"));
        await EndAsync(other, await OpenAsync(other, "id-3"));
    }

    [Theory, PlainAndTls]
    public async Task A_closed_local_port_is_refused_and_the_leg_is_idle_again(bool tls)
    {
        using var unheard = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unheard.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var closed = ((IPEndPoint)unheard.LocalEndPoint!).Port;
        await StartAsync(tls, options => options.Ports = [ServicePort, closed]);
        var leg = await IdleAsync();
        await AssertRefusedAsync(leg, "id-1", $"local port {closed}: connection refused", open => open.LocalPort = (uint)closed);
        await EndAsync(leg, await OpenAsync(leg, "id-2"));
    }

    [Theory, PlainAndTls]
    public async Task A_pending_open_is_reported_on_and_answered(bool tls)
    {
        await StartAsync(tls);
        var leg = await IdleAsync();
        Hold();
        await AskAsync(leg, "id-1", open => open.Deadline = 60_000);
        await Patience.UntilAsync(() => Agent.PendingConnects == 1, "the open");
        foreach (var _ in Enumerable.Range(0, 3))
        {
            await ReadWhileTimePassesAsync(leg);
        }

        Resume();
        var answer = Frames.Wait;
        while (answer[0] == Frames.Wait[0])
        {
            answer = await leg.ReadExactlyAsync(4);
        }

        Assert.Equal(Frames.Opened, answer);
        await EndAsync(leg, Closing(await AcceptServiceAsync()));
    }

    [Theory, PlainAndTls]
    public async Task A_deadline_that_passes_is_refused(bool tls)
    {
        await StartAsync(tls);
        var leg = await IdleAsync();
        Hold();
        await AskAsync(leg, "id-1", open => open.Deadline = 100);
        await Patience.UntilAsync(() => Agent.PendingConnects == 1, "the open");
        Time.Advance(TimeSpan.FromMilliseconds(101));
        var refused = await leg.ReadRefusedAsync();
        Assert.Equal(("id-1", $"local port {ServicePort}: deadline passed"), (refused.ConnectionID, refused.ErrorMessage));
        await UntilKeptAsync(1);
    }

    [Theory, PlainAndTls]
    public async Task A_leg_that_is_reset_while_it_is_asked_drops_the_local_connection(bool tls)
    {
        await StartAsync(tls);
        var leg = await IdleAsync();
        Hold();
        await AskAsync(leg, "id-1");
        await Patience.UntilAsync(() => Agent.PendingConnects == 1, "the open");
        leg.Abort();
        await UntilIdleAsync(Agent);
        Assert.False(HasPendingService());
        Assert.Contains("whip_agent_connects_total{outcome=\"cancelled\"} 1\n", await ScrapeAsync());
    }

    [Theory, PlainAndTls]
    public async Task An_idle_leg_is_closed_after_a_minute_and_cleanly(bool tls)
    {
        // A stream that expects no pongs lives for 75 seconds.
        await StartAsync(tls, isAnnounced: false);
        var leg = await IdleAsync();
        await UntilKeptAsync(1);
        Time.Advance(TimeSpan.FromSeconds(47));
        await UntilKeptAsync(1);
        Time.Advance(TimeSpan.FromSeconds(26));
        Assert.Empty(await leg.ReadToEndAsync());
        await UntilKeptAsync(0);
        Assert.Contains("whip_agent_kept_stale_total 1\n", await ScrapeAsync());
    }

    [Theory, PlainAndTls]
    public async Task Idle_legs_end_with_their_control_stream_and_a_busy_one_after_its_dial(bool tls)
    {
        await StartAsync(tls);
        var busy = await IdleAsync("busy");
        var service = await OpenAsync(busy, "id-1");
        var idle = await IdleAsync("idle");
        Stream.End(new Status(StatusCode.Unavailable, "gone"));
        Assert.Empty(await idle.ReadToEndAsync());
        await EndAsync(busy, service);
        Assert.Empty(await busy.ReadToEndAsync());
        await UntilKeptAsync(0);
    }

    [Theory, PlainAndTls]
    public async Task An_agent_that_stops_closes_its_idle_legs_and_keeps_none(bool tls)
    {
        await StartAsync(tls);
        var idle = await IdleAsync();
        var stopping = Agent.StopAsync();
        await Stream.DetachedAsync();
        Stream.End(Status.DefaultSuccess);
        Assert.Empty(await idle.ReadToEndAsync());
        await stopping.WaitAsync(Patience.Long);
    }

    [Theory, PlainAndTls]
    public async Task An_idle_leg_goes_when_descriptors_run_out(bool tls)
    {
        var budget = Descriptors.Of(300);
        await StartAsync(tls, descriptors: budget);
        var leg = await IdleAsync();
        await UntilKeptAsync(1);
        Assert.Equal(1, budget.InUse);
        while (budget.TryTake())
        {
        }

        await AssertGoneAsync(leg);
        await UntilKeptAsync(0);
        Assert.Contains("whip_agent_kept_stale_total 1\n", await ScrapeAsync());
        await Stream.ConnectAsync("next", ServicePort, connect => connect.Keep = true);
        Assert.Equal("connects: out of descriptors", await Stream.FailureAsync("next"));
    }

    [Theory, PlainAndTls]
    public async Task Keep_false_says_nothing_and_frames_nothing(bool tls)
    {
        await StartAsync(tls, options => options.Keep = false);
        Assert.Equal(["ping"], Stream.Register.Capabilities);
        var (leg, service) = await BeginAsync();
        await service.WriteAsync("bare"u8.ToArray());
        Assert.Equal("bare"u8.ToArray(), await leg.ReadExactlyAsync(4));
    }

    [Theory, PlainAndTls]
    public async Task A_leg_whose_Connect_does_not_say_keep_is_bare(bool tls)
    {
        await StartAsync(tls);
        await Stream.ConnectAsync("id-1", ServicePort);
        await using var leg = await Broker.AcceptLegAsync("id-1");
        await using var service = await AcceptServiceAsync();
        await service.WriteAsync("bare"u8.ToArray());
        Assert.Equal("bare"u8.ToArray(), await leg.ReadExactlyAsync(4));
    }

    [Fact]
    public async Task A_leg_from_before_a_new_certificate_serves_no_dial()
    {
        WhipAgentOptions? files = null;
        await StartAsync(tls: true, options => files = options);
        var leg = await IdleAsync();
        await UntilKeptAsync(1);
        File.AppendAllText(files!.Tls.CaCertPath!, "\n");
        ((IWhipProgram)Agent).Reload();
        await AskAsync(leg, "id-1");
        await AssertGoneAsync(leg);
        Assert.False(HasPendingService());
    }

    private async Task AssertRefusedAsync(Whip.Protocol.Legs.Leg leg, string id, string reason, Action<Connect>? change = null)
    {
        await AskAsync(leg, id, change);
        var refused = await leg.ReadRefusedAsync();
        Assert.Equal((id, reason), (refused.ConnectionID, refused.ErrorMessage));
    }

    /// <summary>Lets time pass until the agent has said wait.</summary>
    private async Task ReadWhileTimePassesAsync(Whip.Protocol.Legs.Leg leg)
    {
        var reading = leg.ReadExactlyAsync(4);
        await Patience.UntilAsync(
            () =>
            {
                Time.Advance(TimeSpan.FromMilliseconds(10));
                return reading.IsCompleted;
            },
            "wait");
        Assert.Equal(Frames.Wait, await reading);
    }
}
