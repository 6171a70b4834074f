using Whip.Broker;
using Whip.Protocol.Kept;
using Whip.Protocol.Legs;

namespace Whip.Tests.Broker.DialFront;

/// <summary>How long a broker keeps a connection, and what it checks before each dial.</summary>
public sealed class KeptLifeTests : KeptDialTest
{
    [Fact]
    public async Task Each_dial_is_judged_by_the_policy_of_its_time()
    {
        using var folder = new TempFolder();
        var path = folder.Write("policy", """[{"dialer": "*", "name": "*", "allow": true}]""");
        await using var broker = await TestBroker.StartAsync(tls: true, options => options.DialPolicyPath = path);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.ConnectAsync();
        await ExchangeAsync(broker, agent, dialer, 7);
        File.WriteAllText(path, "[]");
        broker.Parts.Files.Look(atOnce: true);
        await AskAsync(dialer, Target);
        Assert.Contains("the dial policy does not let", await ReadRefusalAsync(dialer, 403));
    }

    [Fact]
    public async Task A_denied_dialer_loses_its_idle_connection_at_once()
    {
        using var folder = new TempFolder();
        var deny = folder.Write("deny", "");
        await using var broker = await TestBroker.StartAsync(tls: true, options => options.Tls.DenyPath = deny);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.ConnectAsync();
        await ExchangeAsync(broker, agent, dialer, 7);
        await UntilIdleAsync(broker, 1);
        File.WriteAllText(deny, "dialer.testdom");
        broker.Parts.Files.Look(atOnce: true);
        await Assert.ThrowsAnyAsync<IOException>(() => dialer.ReadToEndAsync());
        await UntilIdleAsync(broker, 0);
    }

    [Fact]
    public async Task A_connection_from_before_a_new_certificate_is_not_kept_any_longer()
    {
        WhipBrokerOptions? files = null;
        await using var broker = await TestBroker.StartAsync(tls: true, options => files = options);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.ConnectAsync();
        var (leg, _) = await OpenAsync(agent, dialer);
        await using (leg)
        {
            File.AppendAllText(files!.Tls.CaCertPath!, "\n");
            broker.Parts.Files.Look(atOnce: true);
            await leg.WriteAsync("still"u8.ToArray());
            await leg.CompleteWritesAsync();
            await dialer.WriteAsync(End);
            Assert.Equal((byte[])[0, 0, 0, 5, .. "still"u8, .. End, .. Done], await dialer.ReadToEndAsync());
        }

        await UntilIdleAsync(broker, 0);
    }

    [Fact]
    public async Task An_idle_connection_from_before_a_new_certificate_serves_no_dial()
    {
        WhipBrokerOptions? files = null;
        await using var broker = await TestBroker.StartAsync(tls: true, options => files = options);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.ConnectAsync();
        await ExchangeAsync(broker, agent, dialer, 7);
        await UntilIdleAsync(broker, 1);
        File.AppendAllText(files!.Tls.CaCertPath!, "\n");
        broker.Parts.Files.Look(atOnce: true);
        await AskAsync(dialer, Target);
        Assert.Empty(await ReadRestAsync(dialer));
        await UntilIdleAsync(broker, 0);
    }

    [Fact]
    public async Task A_connection_is_not_kept_past_the_dialers_certificate()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var broker = await TestBroker.StartAsync(tls: true, time: time);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await Leg.ConnectAsync(broker.Broker.DialEndPoint!, default);
        var ending = Certificates.ClientLeaf("dialer.testdom") with { NotAfter = DateTimeOffset.UtcNow.AddMinutes(5) };
        await dialer.AuthenticateAsClientAsync(TestCertificates.Shared.Identity(ending), "127.0.0.1", default);
        var (leg, _) = await OpenAsync(agent, dialer);
        await using (leg)
        {
            time.Advance(TimeSpan.FromMinutes(6));
            await leg.CompleteWritesAsync();
            await dialer.WriteAsync(End);
            Assert.Equal((byte[])[.. End, .. Done], await dialer.ReadToEndAsync());
        }
    }

    [Theory, PlainAndTls]
    public async Task An_idle_connection_is_closed_after_a_minute_and_cleanly(bool tls)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var broker = await TestBroker.StartAsync(tls, time: time);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.ConnectAsync();
        await ExchangeAsync(broker, agent, dialer, 7);
        await UntilIdleAsync(broker, 1);
        time.Advance(TimeSpan.FromSeconds(47));
        Assert.Equal(1, broker.Parts.Kept.Count);
        time.Advance(TimeSpan.FromSeconds(26));
        Assert.Empty(await dialer.ReadToEndAsync());
        await UntilIdleAsync(broker, 0);
        Assert.Contains("whip_broker_kept_stale_total{listener=\"dial\"} 1\n", await broker.ScrapeAsync());
        Assert.DoesNotContain(broker.Logs.Records, record => record.Event.Name == "LegRefused");
    }

    [Theory, PlainAndTls]
    public async Task A_drain_closes_the_idle_ones_and_keeps_none(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls, options => options.DrainTimeout = Patience.Long);
        await using var agent = await broker.RegisterAsync();
        await using var idle = await broker.ConnectAsync();
        await ExchangeAsync(broker, agent, idle, 7);
        await UntilIdleAsync(broker, 1);
        await using var busy = await broker.ConnectAsync();
        var (leg, _) = await OpenAsync(agent, busy);
        var stopping = broker.Broker.StopAsync();
        Assert.Empty(await idle.ReadToEndAsync());
        await busy.WriteAsync(End);
        Assert.Empty(await leg.ReadToEndAsync());
        await leg.DisposeAsync();
        Assert.Equal((byte[])[.. End, .. Done], await busy.ReadToEndAsync());
        await stopping.WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task A_broker_keeps_256_idle_connections_of_one_certificate()
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        List<Leg> dialers = [];
        try
        {
            for (var i = 0; i < KeptLimits.MaxIdle; i++)
            {
                dialers.Add(await RefusedDialerAsync("dialer.testdom"));
            }

            await UntilIdleAsync(broker, KeptLimits.MaxIdle);
            dialers.Add(await RefusedDialerAsync("dialer.testdom"));
            Assert.Empty(await dialers[^1].ReadToEndAsync());

            // Another certificate has a share of its own, and a place that is left is taken again.
            dialers.Add(await RefusedDialerAsync("other.testdom"));
            await UntilIdleAsync(broker, KeptLimits.MaxIdle + 1);
            await dialers[0].DisposeAsync();
            await UntilIdleAsync(broker, KeptLimits.MaxIdle);
            dialers.Add(await RefusedDialerAsync("dialer.testdom"));
            await UntilIdleAsync(broker, KeptLimits.MaxIdle + 1);
        }
        finally
        {
            dialers.ForEach(dialer => dialer.Abort());
        }

        async Task<Leg> RefusedDialerAsync(string name)
        {
            var dialer = await broker.ConnectAsync(name);
            await AskAsync(dialer, "nobody.elsewhere:1");
            await ReadRefusalAsync(dialer, 404);
            return dialer;
        }
    }

    [Fact]
    public async Task A_plain_one_that_is_idle_makes_room_for_a_stranger()
    {
        await using var broker = await TestBroker.StartAsync(tls: false, options => options.Limits.UnauthenticatedConnections = 1);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.ConnectAsync();
        await ExchangeAsync(broker, agent, dialer, 7);
        await UntilIdleAsync(broker, 1);
        await using var stranger = await broker.ConnectAsync();
        Assert.Empty(await dialer.ReadToEndAsync());
        await UntilIdleAsync(broker, 0);
    }

    /// <summary>What comes before the end, which may be a reset.</summary>
    private static async Task<byte[]> ReadRestAsync(Leg leg)
    {
        try
        {
            return await leg.ReadToEndAsync();
        }
        catch (IOException)
        {
            return [];
        }
    }
}
