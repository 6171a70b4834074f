using Whip.Protocol.Messages;

namespace Whip.Tests.Agent.Homes;

/// <summary>Brokers that the agent was not configured with but that another broker named.</summary>
public sealed class MembersTests : ClusterTest
{
    [Theory, PlainAndTls]
    public async Task Brokers_that_a_broker_tells_of_become_homes(bool tls)
    {
        var (one, two, three) = (await StartMemberAsync(tls, "b1"), await StartMemberAsync(tls, "b2"), await StartMemberAsync(tls, "b3"));
        var agent = await StartAgentAsync(one, tls, homes: 3);
        var first = await one.RegisterAsync("b1");
        var pings = first.AnswerPingsAsync();
        await first.SendAsync(Tell(("b1", one), ("b2", two), ("b3", three)));
        var others = Task.WhenAll(two.RegisterAsync("b2"), three.RegisterAsync("b3"));
        await AdvanceUntilAsync(others, "two more homes");
        await Patience.UntilAsync(() => agent.HomeCount == 3, "three homes");
        Assert.False(pings.IsCompleted || one.HasCall());
    }

    [Fact]
    public async Task An_original_server_that_tells_of_brokers_is_not_heard()
    {
        var (one, two) = (await StartMemberAsync(false, "b1"), await StartMemberAsync(false, "b2"));
        await StartAgentAsync(one, tls: false, homes: 2);
        var stream = await one.NextStreamAsync();
        await stream.SendAsync(Tell(("b2", two)));
        await stream.SendAsync(new ResponseStream { Ping = new Ping { Sequence = 1 } });
        Assert.Equal(1ul, (await stream.NextAsync())!.Pong.Sequence);
        Assert.DoesNotContain(Logs.Records, r => r.Event.Name == "Members");
    }

    [Theory]
    [InlineData("whip://c/broker/b3", "127.0.0.1")]
    [InlineData("whip://other/broker/b2", "127.0.0.1")]
    [InlineData("https://b2.example/", "127.0.0.1")]
    [InlineData("whip://c/broker/b2", "127.0.0.2")]
    public async Task An_address_that_does_not_prove_to_be_the_broker_gets_no_registration(string uri, string address)
    {
        var (one, three) = (await StartMemberAsync(true, "b1"), await StartMemberAsync(true, "b3"));
        var impostor = await StartBrokerAsync(identity: MemberIdentity(uri, address));
        var agent = await StartAgentAsync(one, tls: true, homes: 3);
        var first = await one.RegisterAsync("b1");
        var pings = first.AnswerPingsAsync();
        await first.SendAsync(Tell(("b1", one), ("b2", impostor), ("b3", three)));
        var third = three.RegisterAsync("b3");
        await AdvanceUntilAsync(third, "the broker that is one");
        await AdvanceUntilAsync(() => Logs.Records.Count(r => r.Event.Name == "StillLost") > 3, "attempts at the other");
        var said = Assert.Single(Logs.Records, r => r.Event.Name == "Lost").Message;
        Assert.Contains(address == "127.0.0.1" ? "has not proved to be whip://c/broker/b2" : "Unauthenticated", said);
        await impostor.AssertNothingSentAsync();
        Assert.Equal(2, agent.HomeCount);
        Assert.False(pings.IsCompleted);
    }

    [Fact]
    public async Task Without_TLS_a_broker_that_says_it_is_another_is_left()
    {
        var (one, two) = (await StartMemberAsync(false, "b1"), await StartMemberAsync(false, "b2"));
        var agent = await StartAgentAsync(one, tls: false, homes: 2);
        var first = await one.RegisterAsync("b1");
        _ = first.AnswerPingsAsync();
        await first.SendAsync(Tell(("b1", one), ("b2", two)));
        var second = two.RegisterAsync("b9");
        await AdvanceUntilAsync(second, "an attempt");
        Assert.Contains("has not proved to be whip://c/broker/b2", (await Logs.WaitForAsync("Lost")).Message);
        Assert.Equal(1, agent.HomeCount);
    }

    [Theory, PlainAndTls]
    public async Task A_better_home_is_attached_before_the_other_is_left(bool tls)
    {
        var (better, worse) = (Preferred[0], Preferred[1]);
        var old = await StartMemberAsync(tls, worse);
        var added = await StartMemberAsync(tls, better);
        var agent = await StartAgentAsync(old, tls, homes: 1);
        var stream = await old.RegisterAsync(worse);
        var left = stream.AnswerPingsAsync();
        await stream.SendAsync(Tell((worse, old)));
        await stream.SendAsync(Tell((worse, old), (better, added)));
        var opened = added.NextStreamAsync();
        await AdvanceUntilAsync(opened, "the better home");
        Assert.False(left.IsCompleted);
        Assert.Equal(1, agent.HomeCount);
        await (await opened).AcceptAsync(better);
        await left.WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task A_broker_that_is_no_longer_a_member_is_left_once_another_stands()
    {
        var (one, two, three) = (await StartMemberAsync(false, "b1"), await StartMemberAsync(false, "b2"), await StartMemberAsync(false, "b3"));
        var agent = await StartAgentAsync(one, tls: false, homes: 3);
        var first = await one.RegisterAsync("b1");
        _ = first.AnswerPingsAsync();
        await first.SendAsync(Tell(("b1", one), ("b2", two)));
        var second = two.RegisterAsync("b2");
        await AdvanceUntilAsync(second, "the second home");
        var left = (await second).AnswerPingsAsync();
        await Patience.UntilAsync(() => agent.HomeCount == 2, "two homes");
        await first.SendAsync(Tell(("b3", three)));
        var third = three.NextStreamAsync();

        // After four seconds it would be too slow to wait for.
        await AdvanceUntilAsync(third, "the third home", atMost: TimeSpan.FromSeconds(3));
        Assert.False(left.IsCompleted);
        await (await third).AcceptAsync("b3");
        await left.WaitAsync(Patience.Long);
        Assert.False(one.HasCall());
    }

    [Fact]
    public async Task An_address_given_and_told_of_is_one_home()
    {
        var one = await StartMemberAsync(false, "b1");
        var agent = await StartAgentAsync([$"one.example:{one.Grpc.Port}"], change: o => o.Homes = 2, time: Time, resolve: LoopbackAsync);
        var stream = await one.RegisterAsync("b1");
        var pings = stream.AnswerPingsAsync();
        await stream.SendAsync(Tell([new Member { BrokerId = "b1", Grpc = $"localhost:{one.Grpc.Port}" }]));
        var since = Time.GetUtcNow();
        await AdvanceUntilAsync(() => Time.GetUtcNow() - since > TimeSpan.FromSeconds(10), "ten seconds");
        Assert.False(one.HasCall() || pings.IsCompleted);
        Assert.Equal(1, agent.HomeCount);
    }
}
