using System.Text;
using Whip.Client;
using Whip.Protocol.Dialing;

namespace Whip.Tests.Broker.Cluster;

/// <summary>A dial at any broker reaches an agent at any other.</summary>
public sealed class ClusterDialTests
{
    private const string Target = "instance1.testdom:5051";

    [SkippableTheory, PlainAndTls]
    public async Task A_dial_at_another_broker_is_relayed_to_the_holder(bool tls)
    {
        await using var cluster = await TestCluster.StartAsync(tls);
        await using var agent = await cluster[1].RegisterAsync();

        var (dialer, leg) = await cluster[0].JoinAsync(agent);
        await using (leg)
        {
            await dialer.WriteAsync("question"u8.ToArray());
            Assert.Equal("question", Encoding.ASCII.GetString(await leg.ReadExactlyAsync(8)));
            await leg.WriteAsync("answer"u8.ToArray());
            await leg.CompleteWritesAsync(default);
            Assert.Equal("answer", Encoding.ASCII.GetString(await dialer.ReadToEndAsync()));
            await dialer.DisposeAsync();
            Assert.Empty(await leg.ReadToEndAsync());
        }

        Assert.Contains("whip_broker_dials_total{outcome=\"connected\",path=\"relayed\"} 1", await cluster[0].ScrapeAsync());
        Assert.Contains("whip_broker_dials_total{outcome=\"connected\",path=\"forwarded\"} 1", await cluster[1].ScrapeAsync());
        await Patience.UntilAsync(() => cluster.Brokers.All(broker => broker.Parts is { Budget.Relays: 0, Buffers.Outstanding: 0 }), "no relay left");
    }

    [SkippableTheory, PlainAndTls]
    public async Task A_dialer_that_can_follow_is_sent_to_the_holder(bool tls)
    {
        await using var cluster = await TestCluster.StartAsync(tls);
        await using var agent = await cluster[1].RegisterAsync();

        var refusal = await cluster[0].RefusedAsync(Target, "Whip-Redirect: accept\r\n");
        Assert.StartsWith("HTTP/1.1 307 ", refusal);
        Assert.Contains($"Whip-Location: {cluster[1].Broker.DialEndPoint}\r\n", refusal);

        var dialer = new WhipDialer(new WhipDialerOptions { Brokers = [cluster[0].Broker.DialEndPoint!.ToString()] }, cluster[0].Client("dialer.testdom"),
            TimeProvider.System, 0);
        var dialing = dialer.TryDialAsync(new DialRequest("instance1.testdom", 5051)).AsTask();
        await using var leg = await agent.BringLegAsync(await agent.NextConnectAsync());
        await using var stream = (await dialing.WaitAsync(Patience.Long)).Stream!;
        await stream.WriteAsync("x"u8.ToArray());
        Assert.Equal("x", Encoding.ASCII.GetString(await leg.ReadExactlyAsync(1)));
        Assert.Equal(0, cluster[0].Parts.Budget.Relays);
    }

    [SkippableTheory, PlainAndTls]
    public async Task A_dial_that_waits_goes_through_when_the_agent_registers_elsewhere(bool tls)
    {
        await using var cluster = await TestCluster.StartAsync(tls);
        await using var dialer = await cluster[0].ConnectAsync();
        await dialer.WriteAsync(Encoding.ASCII.GetBytes($"CONNECT {Target} HTTP/1.1\r\nWhip-Wait: 30\r\n\r\n"));
        await Patience.UntilAsync(() => cluster[0].Parts.Budget.Pending == 1, "the waiting dial");

        await using var agent = await cluster[1].RegisterAsync();
        await using var leg = await agent.BringLegAsync(await agent.NextConnectAsync());
        Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(dialer));
    }

    [SkippableFact]
    public async Task What_is_missing_is_told_by_what_the_whole_cluster_knows()
    {
        await using var cluster = await TestCluster.StartAsync(tls: false);
        await using var agent = await cluster[1].RegisterAsync();

        Assert.Contains("Whip-Outcome: port-not-published", await AnsweredAsync("instance1.testdom:1"));
        Assert.Contains("Whip-Outcome: port-not-published", await AnsweredAsync("testdom:1"));
        Assert.Contains("Whip-Outcome: no-such-host", await AnsweredAsync("instance2.testdom:5051"));
        Assert.Contains("Whip-Outcome: no-such-domain", await AnsweredAsync("instance1.elsewhere:5051"));

        // 503 says that a broker did not answer in time, as on a busy machine.
        async Task<string> AnsweredAsync(string target)
        {
            var answer = "";
            await Patience.UntilAsync(async () =>
                !(answer = await cluster[0].RefusedAsync(target)).StartsWith("HTTP/1.1 503 ", StringComparison.Ordinal), $"an answer about {target}");
            return answer;
        }
    }

    [SkippableFact]
    public async Task Only_a_broker_of_the_cluster_may_speak_for_a_dialer()
    {
        await using var cluster = await TestCluster.StartAsync(tls: true);
        await using var agent = await cluster[1].RegisterAsync();
        foreach (var claim in new[] { "Whip-Forwarded: b1\r\n", "Whip-Dialer: admin\r\n", "Whip-Forwarded: b1\r\nWhip-Dialer: admin\r\n",
            "Whip-Dialer-Id: ab:1\r\n", "Whip-Zone: east\r\n", "Whip-Dialer-Address: 10.0.0.1:1 10.0.0.2:2\r\n",
            "Whip-Forwarded: b1\r\nWhip-Dialer-Address: 10.0.0.1:1 10.0.0.2:2\r\n" })
        {
            Assert.StartsWith("HTTP/1.1 400 ", await cluster[1].RefusedAsync(Target, claim));
        }
    }

    [SkippableFact]
    public async Task The_agent_is_told_who_the_dialer_is_and_not_the_broker_between()
    {
        await using var cluster = await TestCluster.StartAsync(tls: true);
        await using var agent = await cluster[1].RegisterAsync();
        await using var dialer = await cluster[0].ConnectAsync("someone.testdom");
        await dialer.WriteAsync(Encoding.ASCII.GetBytes($"CONNECT {Target} HTTP/1.1\r\n\r\n"));
        var connect = await agent.NextConnectAsync();
        Assert.Equal(["someone.testdom"], connect.Dialer);
        Assert.Equal(TestCertificates.Shared.ClientIdentity("someone.testdom").Names.Id, connect.DialerId);
    }

    [SkippableFact]
    public async Task When_the_holder_is_gone_the_other_home_is_dialled()
    {
        await using var cluster = await TestCluster.StartAsync(tls: true, brokers: 3);
        await using var there = await cluster[1].RegisterAsync();
        await using var alsoThere = await cluster[2].RegisterAsync();
        Assert.StartsWith("HTTP/1.1 502 ", await FailedAsync(cluster[0], there, alsoThere));

        await cluster.StopAsync(cluster[1]);
        for (var i = 0; i < 5; i++)
        {
            var (dialer, leg) = await cluster[0].JoinAsync(alsoThere);
            leg.Abort();
            await dialer.DisposeAsync();
        }
    }

    [SkippableFact]
    public async Task An_agent_that_moved_is_found_at_its_new_broker()
    {
        await using var cluster = await TestCluster.StartAsync(tls: false, brokers: 3);
        await using (var before = await cluster[1].RegisterAsync())
        {
            var (dialer, leg) = await cluster[0].JoinAsync(before);
            leg.Abort();
            await dialer.DisposeAsync();
        }

        await Patience.UntilAsync(() => cluster[1].Parts.Streams.Count == 0, "the end of the first stream");
        await using var after = await cluster[2].RegisterAsync();
        var (second, secondLeg) = await cluster[0].JoinAsync(after);
        secondLeg.Abort();
        await second.DisposeAsync();
    }

    /// <summary>A dial that neither of two agents serves: the answer after both were asked.</summary>
    private static async Task<string> FailedAsync(TestBroker ingress, ScriptedAgent first, ScriptedAgent second)
    {
        var answer = ingress.RefusedAsync(Target);
        foreach (var agent in new[] { first, second })
        {
            await agent.FailAsync(await agent.NextConnectAsync(), "connection refused");
        }

        return await answer.WaitAsync(Patience.Long);
    }
}
