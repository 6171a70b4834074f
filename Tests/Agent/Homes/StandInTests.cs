using System.Net;
using System.Net.Sockets;
using Whip.Agent;
using Whip.Protocol.Messages;

namespace Whip.Tests.Agent.Homes;

/// <summary>An agent of one home whose broker goes, and is dialable again at another.</summary>
public sealed class StandInTests : ClusterTest
{
    private static string Own => Preferred[0];

    private static string Other => Preferred[1];

    [Theory, PlainAndTls]
    public async Task When_a_broker_crashes_another_stands_in_at_once_until_it_is_back(bool tls)
    {
        var port = FreePort.Find(1)[0];
        var (own, other) = (await StartMemberAsync(tls, Own, port), await StartMemberAsync(tls, Other));
        var agent = await StartAtOwnAsync(tls, own, other);
        await own.DisposeAsync();
        var standIn = await other.RegisterAsync(Other);
        var left = standIn.AnswerPingsAsync();
        await Patience.UntilAsync(() => agent.IsReady, "the stand-in");

        var back = await StartMemberAsync(tls, Own, port);
        var returned = back.RegisterAsync(Own);
        await AdvanceUntilAsync(returned, "the broker's return");
        _ = (await returned).AnswerPingsAsync();
        await Patience.UntilAsync(() => agent.HomeCount == 2, "both");
        Assert.False(left.IsCompleted);
        await AdvanceUntilAsync(left, "the end of the stand-in");
        Assert.Equal(1, agent.HomeCount);
    }

    [Theory, PlainAndTls]
    public async Task When_a_broker_freezes_another_stands_in_within_16_seconds(bool tls)
    {
        var (own, other) = (await StartMemberAsync(tls, Own), await StartMemberAsync(tls, Other));
        var agent = await StartAtOwnAsync(tls, own, other, answersPings: false);
        var since = Time.GetUtcNow();
        var standIn = other.RegisterAsync(Other);
        await AdvanceUntilAsync(standIn, "the stand-in", atMost: TimeSpan.FromSeconds(16));
        Assert.True(Time.GetUtcNow() - since >= TimeSpan.FromSeconds(11));
        _ = (await standIn).AnswerPingsAsync();
        var again = own.NextStreamAsync();
        await AdvanceUntilAsync(again, "another attempt at the frozen one");
        var tried = Time.GetUtcNow();
        await AdvanceUntilAsync(() => Time.GetUtcNow() - tried > TimeSpan.FromSeconds(8), "a while in which the broker says nothing");
        Assert.True(agent.IsReady);
        Assert.False(other.HasCall());
    }

    [Fact]
    public async Task A_broker_that_accepts_and_says_nothing_does_not_delay_another()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var (own, other) = (await StartMemberAsync(true, Own), await StartMemberAsync(true, Preferred[2]));
        var agent = await StartAgentAsync(own, tls: true, homes: 1);
        var stream = await own.RegisterAsync(Own);
        var pings = stream.AnswerPingsAsync();
        var members = new[] { (Own, own.Grpc.Port), (Other, ((IPEndPoint)silent.LocalEndpoint).Port), (Preferred[2], other.Grpc.Port) };
        await stream.SendAsync(Tell(members.Select(m => new Member { BrokerId = m.Item1, Grpc = $"127.0.0.1:{m.Item2}" })));
        await Logs.WaitForAsync("Members");
        await own.DisposeAsync();
        using var connection = await silent.AcceptTcpClientAsync().WaitAsync(Patience.Long);
        var standIn = other.RegisterAsync(Preferred[2]);
        await AdvanceUntilAsync(standIn, "the stand-in", atMost: TimeSpan.FromSeconds(4.5));
        await Patience.UntilAsync(() => agent.IsReady, "the stand-in");
    }

    [Theory, PlainAndTls]
    public async Task An_agent_of_two_homes_leaves_a_drained_one_for_the_third(bool tls)
    {
        var brokers = new List<ScriptedBroker>();
        foreach (var id in Preferred.Take(3))
        {
            brokers.Add(await StartMemberAsync(tls, id));
        }

        var agent = await StartAgentAsync(brokers[0], tls, homes: 2);
        var first = await brokers[0].RegisterAsync(Preferred[0]);
        var left = first.AnswerPingsAsync();
        await first.SendAsync(Tell([.. brokers.Select((b, i) => (Preferred[i], b))]));
        var second = brokers[1].RegisterAsync(Preferred[1]);
        await AdvanceUntilAsync(second, "the second home");
        var stays = (await second).AnswerPingsAsync();
        await Patience.UntilAsync(() => agent.HomeCount == 2, "two homes");
        await first.SendAsync(new ResponseStream { Drain = new Drain() });
        var third = await brokers[2].NextStreamAsync();
        Assert.False(left.IsCompleted);
        await third.AcceptAsync(Preferred[2]);
        var standIn = third.AnswerPingsAsync();
        await left.WaitAsync(Patience.Long);
        Assert.False(stays.IsCompleted);

        var returned = brokers[0].RegisterAsync(Preferred[0]);
        await AdvanceUntilAsync(returned, "the return after the rest");
        _ = (await returned).AnswerPingsAsync();
        await AdvanceUntilAsync(standIn, "the end of the stand-in");
        Assert.False(stays.IsCompleted);
    }

    private async Task<WhipAgent> StartAtOwnAsync(bool tls, ScriptedBroker own, ScriptedBroker other, bool answersPings = true)
    {
        var agent = await StartAgentAsync(own, tls, homes: 1);
        var stream = await own.RegisterAsync(Own);
        _ = answersPings ? stream.AnswerPingsAsync() : Task.CompletedTask;
        await stream.SendAsync(Tell((Own, own), (Other, other)));
        await Logs.WaitForAsync("Members");
        return agent;
    }
}
