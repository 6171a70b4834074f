using System.Net;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Whip.Agent.Homes;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;

namespace Whip.Tests.Agent.Homes;

public sealed class HomeTests : AgentTest
{
    private static readonly IPAddress Second = IPAddress.Parse("127.0.0.2");

    [Theory, PlainAndTls]
    public async Task An_agent_says_who_it_is_and_is_ready_once_it_is_registered(bool tls)
    {
        var broker = await StartBrokerAsync(tls);
        var agent = await StartAgentAsync(broker, tls, o => o.Zone = "z1");
        Assert.False(agent.IsReady);
        var stream = await broker.RegisterAsync();
        var register = stream.Register;
        Assert.Equal(("a", "testdom", "z1"), (register.Hostname, register.Domain, register.Zone));
        Assert.Equal([(uint)ServicePort], register.Ports);
        Assert.Equal(["ping", "keep"], register.Capabilities);
        Assert.Equal(32, register.AgentId.Length);
        await Patience.UntilAsync(() => agent.IsReady, "readiness");
        Assert.Contains("whip_agent_streams 1\n", await ScrapeAsync());
        stream.End(Status.DefaultSuccess);
        var next = await broker.RegisterAsync();
        Assert.Equal(register.AgentId, next.Register.AgentId);
        Assert.True(next.Register.Generation > register.Generation);
    }

    [Fact]
    public async Task An_agent_of_one_home_is_registered_within_a_second_although_the_address_it_prefers_is_dead()
    {
        using var name = PreferredDead();
        var broker = await StartBrokerAsync(address: TwoAddresses.Alive, port: name.Port);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var agent = await StartAgentAsync([$"broker.test:{name.Port}"], change: o => o.Homes = 1, time: time, resolve: TwoAddresses.Resolve);
        await Patience.UntilAsync(() => name.Waiting == 1, "the attempt at the dead address");
        var registered = broker.RegisterAsync();
        await time.AdvanceUntilAsync(
            () => registered.IsCompleted, "the stand-in", step: TimeSpan.FromMilliseconds(50), atMost: TimeSpan.FromSeconds(1));
        await registered;
        await Patience.UntilAsync(() => agent.IsReady, "readiness");

        // Ranks the addresses as an agent does.
        static TwoAddresses PreferredDead()
        {
            while (true)
            {
                var name = new TwoAddresses();
                var candidates = new[] { TwoAddresses.Dead, TwoAddresses.Alive }.Select(a => new IPEndPoint(a, name.Port))
                    .Select(a => new Candidate(new HomeAddress(a, HostPort.Of("broker.test", name.Port))) { Broker = $"{a}", Key = $"{a}" });
                if (HomeChoice.Choose("a.testdom", candidates, 1)[0].Address.Host == $"{TwoAddresses.Dead}")
                {
                    return name;
                }

                name.Dispose();
            }
        }
    }

    [Fact]
    public async Task An_original_server_answers_nothing_and_the_agent_is_ready_all_the_same()
    {
        var broker = await StartBrokerAsync();
        var agent = await StartAgentAsync(broker);
        var stream = await broker.NextStreamAsync();
        var ping = new Ping { Sequence = 7, PingTimestamp = new() { Seconds = 5 } };
        await stream.SendAsync(new ResponseStream { Ping = ping });
        var pong = (await stream.NextAsync())!.Pong;
        Assert.Equal((ping.Sequence, ping.PingTimestamp), (pong.Sequence, pong.PingTimestamp));
        await Patience.UntilAsync(() => agent.IsReady, "readiness");
    }

    [Fact]
    public async Task An_original_server_in_the_place_of_a_broker_is_known_by_its_first_ping()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var broker = await StartBrokerAsync();
        var agent = await StartAgentAsync([$"127.0.0.1:{broker.Grpc.Port}"], time: time);
        (await broker.RegisterAsync()).End(Status.DefaultSuccess);
        var next = broker.NextStreamAsync();
        await time.AdvanceUntilAsync(() => next.IsCompleted, "the next stream");
        var since = time.GetUtcNow();
        await time.AdvanceUntilAsync(() => time.GetUtcNow() - since > TimeSpan.FromSeconds(20), "the time of a ping");
        Assert.False(agent.IsReady);
        await (await next).SendAsync(new ResponseStream { Ping = new Ping { Sequence = 1 } });
        await Patience.UntilAsync(() => agent.IsReady, "readiness");
    }

    [Fact]
    public async Task The_agent_gives_up_for_ever_after_a_long_outage()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var port = FreePort.Find(1)[0];
        var broker = await StartBrokerAsync(port: port);
        var agent = await StartAgentAsync([$"127.0.0.1:{port}"], time: time);
        await broker.RegisterAsync();
        await Patience.UntilAsync(() => agent.IsReady, "the first registration");
        await broker.DisposeAsync();
        await time.AdvanceUntilAsync(
            () => Logs.Records.Count(r => r.Event.Name == "StillLost") > 60, "an outage of many attempts", step: TimeSpan.FromSeconds(10));
        Assert.False(agent.IsReady);
        var back = await StartBrokerAsync(port: port);
        var stream = back.RegisterAsync();
        await time.AdvanceUntilAsync(() => stream.IsCompleted, "the second registration");
        await stream;
    }

    [Fact]
    public async Task A_broker_that_takes_no_agents_yet_is_no_warning_however_slowly_it_says_so()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var broker = await StartBrokerAsync();
        await StartAgentAsync([$"127.0.0.1:{broker.Grpc.Port}"], time: time);
        for (var i = 0; i < 2; i++)
        {
            var opened = broker.NextStreamAsync();
            await time.AdvanceUntilAsync(() => opened.IsCompleted, "a stream");
            await time.AdvanceUntilAsync(() => Logs.Records.Count(r => r.Event.Name == "Unconfirmed") == i + 1, "a broker that says nothing");
            (await opened).EndNotYet();
        }

        await time.AdvanceUntilAsync(() => Logs.Records.Any(r => r.Event.Name == "StillLost"), "the second refusal");
        Assert.Single(Logs.Records, r => r.Event.Name == "NotYet");
        Assert.DoesNotContain(Logs.Records, r => r.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task A_refused_registration_is_tried_again()
    {
        var broker = await StartBrokerAsync();
        await StartAgentAsync(broker);
        for (var i = 0; i < 3; i++)
        {
            (await broker.NextStreamAsync()).End(new Status(StatusCode.PermissionDenied, "no"));
        }

        await broker.RegisterAsync();
    }

    [Fact]
    public async Task Connect_to_all_opens_several_streams_to_one_broker()
    {
        var first = await StartBrokerAsync();
        var second = await StartBrokerAsync(address: Second, port: first.Grpc.Port);
        var agent = await StartAgentAsync(
            [$"one.example:{first.Grpc.Port}", $"two.example:{first.Grpc.Port}"], change: o => o.Homes = int.MaxValue, resolve: BothAsync);
        await first.RegisterAsync("broker-1");
        await second.RegisterAsync("broker-2");
        await Patience.UntilAsync(() => agent.HomeCount == 2, "two homes");
        Assert.False(first.HasCall() || second.HasCall());
        Assert.Contains("whip_agent_streams 2\n", await ScrapeAsync());
        Assert.DoesNotMatch("whip_agent_reconnects_total{.*} [1-9]", await ScrapeAsync());
    }

    [Fact]
    public async Task Two_addresses_of_one_broker_are_one_home()
    {
        var broker = await StartBrokerAsync(address: IPAddress.Any);
        var agent = await StartAgentAsync([$"one.example:{broker.Grpc.Port}"], change: o => o.Homes = 2, resolve: BothAsync);
        var streams = new[] { await broker.RegisterAsync(), await broker.RegisterAsync() }.OrderBy(s => s.Register.Generation).ToList();
        var (older, newer) = (streams[0], streams[1]);
        await older.DetachedAsync();
        older.End(Status.DefaultSuccess);
        await Patience.UntilAsync(() => agent.HomeCount == 1, "one home");
        newer.End(Status.DefaultSuccess);
        await broker.RegisterAsync();
    }

    [Fact]
    public async Task A_drained_broker_is_left_once_another_stands()
    {
        var first = await StartBrokerAsync();
        var second = await StartBrokerAsync(address: Second, port: first.Grpc.Port);
        await StartAgentAsync([$"one.example:{first.Grpc.Port}"], change: o => o.Homes = 1, resolve: BothAsync);
        var streams = new[] { first.RegisterAsync("broker-1"), second.RegisterAsync("broker-2") };
        var drained = await Task.WhenAny(streams).Unwrap();
        await drained.SendAsync(new ResponseStream { Drain = new Drain() });
        await Task.WhenAll(streams).WaitAsync(Patience.Long);
        await drained.DetachedAsync();
    }

    [Fact]
    public async Task A_drained_address_is_chosen_again_after_half_a_minute()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var first = await StartBrokerAsync();
        var second = await StartBrokerAsync(address: Second, port: first.Grpc.Port);
        var agent = await StartAgentAsync([$"one.example:{first.Grpc.Port}"], time: time, resolve: BothAsync);
        var drained = await first.NextStreamAsync();
        await second.NextStreamAsync();
        await time.AdvanceUntilAsync(() => agent.HomeCount == 2, "two homes");
        var drainedAt = time.GetUtcNow();
        await drained.SendAsync(new ResponseStream { Drain = new Drain() });
        await drained.DetachedAsync();
        drained.End(Status.DefaultSuccess);
        var again = first.NextStreamAsync();
        await time.AdvanceUntilAsync(() => again.IsCompleted, "the address chosen again");
        Assert.True(time.GetUtcNow() - drainedAt >= TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_home_that_fails_is_stood_in_for_until_it_comes_back()
    {
        var port = (await StartBrokerAsync(address: IPAddress.Parse("127.0.0.3"))).Grpc.Port;
        var order = HomeChoice.Choose("a.testdom", [CandidateFor.Address(new(IPAddress.Loopback, port)), CandidateFor.Address(new(Second, port))], 2);
        var standIn = await StartBrokerAsync(address: IPAddress.Parse(order[1].Address.Host), port: port);
        await StartAgentAsync([$"one.example:{port}"], change: o => o.Homes = 1, resolve: BothAsync);
        var stream = await standIn.RegisterAsync("broker-2");
        var back = await StartBrokerAsync(address: IPAddress.Parse(order[0].Address.Host), port: port);
        await back.RegisterAsync("broker-1");
        await stream.DetachedAsync();
    }

    [Fact]
    public async Task A_drain_without_another_address_keeps_the_stream_until_the_broker_ends_it()
    {
        var (broker, _, stream) = await RegisterAsync();
        await stream.SendAsync(new ResponseStream { Drain = new Drain() });
        await stream.SendAsync(new ResponseStream { Ping = new Ping { Sequence = 1 } });
        Assert.Equal(1ul, (await stream.NextAsync())!.Pong.Sequence);
        stream.End(new Status(StatusCode.Unavailable, "draining"));
        await broker.RegisterAsync();
    }

    private static Task<IPAddress[]> BothAsync(string host, CancellationToken cancellationToken) => Task.FromResult<IPAddress[]>([IPAddress.Loopback, Second]);
}
