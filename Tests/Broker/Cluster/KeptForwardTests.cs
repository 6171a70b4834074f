using Whip.Protocol.Legs;
using Whip.Tests.Broker.DialFront;

namespace Whip.Tests.Broker.Cluster;

/// <summary>Forwarded dials of a real cluster: one after the other on a connection of the two brokers.</summary>
public sealed class KeptForwardTests : KeptDialTest
{
    [SkippableTheory, PlainAndTls]
    public async Task A_connection_between_brokers_carries_one_dial_after_the_other_whoever_dials(bool tls)
    {
        await using var cluster = await TestCluster.StartAsync(tls);
        await using var agent = await cluster[1].RegisterAsync();
        await using var keeping = await cluster[0].ConnectAsync("first.testdom");
        for (var i = 0; i < 4; i++)
        {
            await ExchangeAsync(cluster[0], agent, keeping, (byte)i);
            await UntilForwardsIdleAsync(cluster, 1);
            var (bare, leg) = await cluster[0].JoinAsync(agent);
            await leg.WriteAsync(new[] { (byte)i });
            Assert.Equal([(byte)i], await bare.ReadExactlyAsync(1));
            await bare.CompleteWritesAsync();
            await leg.CompleteWritesAsync();
            Assert.Empty(await bare.ReadToEndAsync());
            Assert.Empty(await leg.ReadToEndAsync());
            await UntilForwardsIdleAsync(cluster, 1);
        }

        // On a busy machine one may look stale.
        var dials = await CountAsync(cluster[0], "kept_reused_total{listener=\"holder\"}")
            + await CountAsync(cluster[0], "kept_stale_total{listener=\"holder\"}");
        Assert.Equal(7, dials);
        Assert.True(await CountAsync(cluster[1], "kept_reused_total{listener=\"dial\"}") > 0);
        foreach (var broker in cluster.Brokers)
        {
            await broker.AssertNothingLeftAsync();
        }
    }

    [SkippableTheory, PlainAndTls]
    public async Task A_dial_that_waits_long_on_a_reused_connection_is_asked_for_once(bool tls)
    {
        await using var cluster = await TestCluster.StartAsync(tls);
        await using var agent = await cluster[1].RegisterAsync();
        await using var keeping = await cluster[0].ConnectAsync();

        // On a busy machine the holder's report may be late, but not each time.
        for (var attempt = 0; !await IsAskedForOnceAsync(cluster, agent, keeping); attempt++)
        {
            Assert.True(attempt < 10, "every dial was given up and repeated");
        }
    }

    [SkippableTheory, PlainAndTls]
    public async Task Refusals_of_the_holder_keep_the_connection(bool tls)
    {
        await using var cluster = await TestCluster.StartAsync(tls);
        await using var agent = await cluster[1].RegisterAsync();
        await using var keeping = await cluster[0].ConnectAsync();
        await ExchangeAsync(cluster[0], agent, keeping, 1);
        await UntilForwardsIdleAsync(cluster, 1);
        await AskAsync(keeping, Target);
        await agent.FailAsync(await agent.NextConnectAsync(), "local port closed");
        Assert.Contains("local port closed", await ReadRefusalAsync(keeping, 502));
        await UntilForwardsIdleAsync(cluster, 1);
        await ExchangeAsync(cluster[0], agent, keeping, 2);
    }

    [SkippableFact]
    public async Task A_dialer_denied_by_the_holder_mid_dial_takes_no_other_with_it_and_its_connection_serves_the_next()
    {
        using var folder = new TempFolder();
        await using var cluster = await TestCluster.StartAsync(
            tls: true, configure: options => options.Tls.DenyPath = folder.Write(options.BrokerId!, ""));
        await using var agent = await cluster[1].RegisterAsync();

        // One after the other on one connection: who was on it before is of no matter to the dial that is on it now.
        await using var denied = await cluster[0].ConnectAsync("denied.testdom");
        await ExchangeAsync(cluster[0], agent, denied, 1);
        await UntilForwardsIdleAsync(cluster, 1);
        await using var other = await cluster[0].ConnectAsync("other.testdom");
        var (otherLeg, _) = await OpenAsync(agent, other);
        await UntilForwardsIdleAsync(cluster, 0);
        var (deniedLeg, _) = await OpenAsync(agent, denied);

        folder.Write("b2", "denied.testdom");
        cluster[1].Parts.Files.Look(atOnce: true);
        await Assert.ThrowsAnyAsync<IOException>(() => denied.ReadExactlyAsync(1));
        await Assert.ThrowsAnyAsync<IOException>(() => deniedLeg.ReadExactlyAsync(1));
        await PassAsync(other, otherLeg, 42);

        // The next one of the denied dialer, on the connection of the other, is refused, and the connection serves a third.
        await other.WriteAsync(End);
        await otherLeg.DisposeAsync();
        Assert.Equal((byte[])[.. End, .. Done], await other.ReadExactlyAsync(8));
        await UntilForwardsIdleAsync(cluster, 1);
        var answer = "";
        await Patience.UntilAsync(
            async () => !(answer = await cluster[0].RefusedAsync(Target, client: "denied.testdom")).StartsWith("HTTP/1.1 503 ", StringComparison.Ordinal),
            "an answer");
        Assert.Contains("the dialer's certificate (denied.testdom) is on the deny list of broker b2", answer);
        await UntilForwardsIdleAsync(cluster, 1);
        await ExchangeAsync(cluster[0], agent, other, 7);
        deniedLeg.Abort();
    }

    [SkippableFact]
    public async Task The_holder_judges_each_dial_by_the_policy_of_its_time()
    {
        using var folder = new TempFolder();
        var path = folder.Write("policy", """[{"dialer": "*", "name": "*", "allow": true}]""");
        await using var cluster = await TestCluster.StartAsync(
            tls: true, configure: options => options.DialPolicyPath = options.BrokerId == "b2" ? path : null);
        await using var agent = await cluster[1].RegisterAsync();
        await using var dialer = await cluster[0].ConnectAsync();
        await ExchangeAsync(cluster[0], agent, dialer, 7);
        await UntilForwardsIdleAsync(cluster, 1);
        File.WriteAllText(path, """[{"dialer": "other.testdom", "name": "*", "allow": true}]""");
        cluster[1].Parts.Files.Look(atOnce: true);
        await AskAsync(dialer, Target);
        Assert.Contains("the dial policy does not let", await ReadRefusalAsync(dialer, 403));
        await using var other = await cluster[0].ConnectAsync("other.testdom");
        await ExchangeAsync(cluster[0], agent, other, 8);
    }

    /// <returns>False: the connection was given up while the agent was waited for.</returns>
    private static async Task<bool> IsAskedForOnceAsync(TestCluster cluster, ScriptedAgent agent, Leg keeping)
    {
        await ExchangeAsync(cluster[0], agent, keeping, 1);
        await UntilForwardsIdleAsync(cluster, 1);
        var before = await CountAsync(cluster[0], "kept_stale_total{listener=\"holder\"}");
        await using var dialer = await cluster[0].BeginDialAsync(headers: "Whip-Progress: accept\r\n");
        var connect = await agent.NextConnectAsync();

        // The first report comes after half a second; without one from the holder the connection is given up sooner.
        Assert.StartsWith("HTTP/1.1 102 ", await TestBroker.ReadHeadAsync(dialer));
        if (await CountAsync(cluster[0], "kept_stale_total{listener=\"holder\"}") > before)
        {
            await agent.NextConnectAsync();
            dialer.Abort();
            return false;
        }

        await using var leg = await agent.BringLegAsync(connect);
        var head = await TestBroker.ReadHeadAsync(dialer);
        while (head.StartsWith("HTTP/1.1 102 ", StringComparison.Ordinal))
        {
            head = await TestBroker.ReadHeadAsync(dialer);
        }

        Assert.StartsWith("HTTP/1.1 200 ", head);
        await leg.WriteAsync("here"u8.ToArray());
        Assert.Equal("here"u8.ToArray(), await dialer.ReadExactlyAsync(4));
        return true;
    }

    private static async Task PassAsync(Leg dialer, Leg service, byte tag)
    {
        await dialer.WriteAsync(new byte[] { 0, 0, 0, 1, tag });
        Assert.Equal([tag], await service.ReadExactlyAsync(1));
    }

    private static Task UntilForwardsIdleAsync(TestCluster cluster, int count) => Patience.UntilAsync(
        () => cluster[0].Parts.Cluster!.Holders.Kept == count, $"{count} idle connections to the holder");

    private static async Task<double> CountAsync(TestBroker broker, string metric)
    {
        var line = (await broker.ScrapeAsync()).Split('\n').Single(line => line.StartsWith($"whip_broker_{metric} ", StringComparison.Ordinal));
        return double.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
