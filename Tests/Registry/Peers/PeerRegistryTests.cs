using Microsoft.Extensions.Time.Testing;
using Whip.Protocol.Names;
using Whip.Registry;
using Whip.Registry.Peers;
using Whip.Registry.Routes;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Registry.Peers;

/// <summary>The contract on one broker of three, and what is particular to asking the others.</summary>
public sealed class PeerRegistryTests : RegistryContractTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly JoinedPeers _peers = new();
    private readonly LocalRoutes _b;
    private readonly LocalRoutes _c;
    private readonly LocalRoutes _own = new(100);
    private readonly PeerRegistry _registry;

    public PeerRegistryTests()
    {
        (_b, _c) = (_peers.Add("b"), _peers.Add("c"));
        _registry = new PeerRegistry(_own, _peers, index: null, _time);
    }

    private protected override Task<IClientRegistry> CreateAsync(int maxWatchesPerName)
    {
        var peers = new JoinedPeers();
        peers.Add("other");
        peers.Add("another");
        return Task.FromResult<IClientRegistry>(new PeerRegistry(new LocalRoutes(maxWatchesPerName), peers, index: null, TimeProvider.System));
    }

    [Fact]
    public async Task A_stream_of_this_broker_is_found_without_asking_anybody()
    {
        _own.Add(Route("x.d"));
        Assert.NotNull((await ResolveAsync("x.d")).Route);
        Assert.Equal(0, _peers.Lookups);
    }

    [Fact]
    public async Task A_holder_is_remembered_until_it_is_forgotten_or_30_seconds_are_over()
    {
        var route = Route("x.d");
        _b.Add(route);
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        Assert.Equal(2, _peers.Lookups);

        _b.Remove(route);
        _c.Add(route);
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        _registry.Forget(Request("x.d"), "b");
        Assert.Equal("c", (await ResolveAsync("x.d") with { HasMore = false }).Holder);

        _c.Remove(route);
        _time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("x.d")).Status);
    }

    [Fact]
    public async Task A_miss_is_believed_for_one_second()
    {
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("x.d")).Status);
        _b.Add(Route("x.d"));
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("x.d")).Status);
        Assert.Equal(2, _peers.Lookups);
        _time.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
    }

    [Fact]
    public async Task A_dial_that_waits_believes_no_miss()
    {
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("x.d")).Status);
        using var watch = _registry.Watch("x.d")!;
        _c.Add(Route("x.d"));
        await watch.Announced.WaitAsync(Patience.Long);
        Assert.Equal("c", (await _registry.ResolveAsync(Request("x.d") with { IsFresh = true }, default)).Holder);
    }

    [Fact]
    public async Task The_first_holder_that_answers_is_taken_and_the_others_are_learnt_when_they_answer()
    {
        var route = Route("x.d");
        _b.Add(route);
        _c.Add(route);
        _peers.Hold("b");
        var first = await ResolveAsync("x.d");
        Assert.Equal(("c", false), (first.Holder, first.HasMore));

        _peers.Release("b");
        await Patience.UntilAsync(async () => (await ResolveAsync("x.d")).HasMore, "the second holder");
        Assert.Equal("b", (await _registry.ResolveAsync(Request("x.d") with { TriedBrokers = ["c"] }, default)).Holder);
        Assert.Equal(ResolveStatus.Exhausted, (await _registry.ResolveAsync(Request("x.d") with { TriedBrokers = ["b", "c"] }, default)).Status);
    }

    [Fact]
    public async Task An_agent_that_registers_here_while_the_others_are_asked_is_found()
    {
        _peers.Hold("b");
        _peers.Hold("c");
        var dial = ResolveAsync("x.d").AsTask();
        _own.Add(Route("x.d"));
        _peers.Release("b");
        _peers.Release("c");
        Assert.NotNull((await dial.WaitAsync(Patience.Long)).Route);
    }

    [Fact]
    public async Task Dials_that_miss_together_ask_once()
    {
        _peers.Hold("b");
        _peers.Hold("c");
        var dials = Enumerable.Range(0, 50).Select(_ => ResolveAsync("x.d").AsTask()).ToList();
        _peers.Release("b");
        _peers.Release("c");
        await Task.WhenAll(dials).WaitAsync(Patience.Long);
        Assert.Equal(2, _peers.Lookups);
    }

    [Fact]
    public async Task A_suspect_holder_is_tried_last_and_not_waited_for()
    {
        var route = Route("x.d");
        _b.Add(route);
        _c.Add(route);
        _peers.Silence("b");
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal("c", (await ResolveAsync("x.d")).Holder);
        }

        Assert.Equal("b", (await _registry.ResolveAsync(Request("x.d") with { TriedBrokers = ["c"] }, default)).Holder);

        _peers.Hold("b");
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("y.e")).Status);
        _peers.Release("b");
    }

    [Fact]
    public async Task A_broker_with_a_stale_lease_that_answers_is_believed()
    {
        _b.Add(Route("x.d"));
        _peers.Stale("b");
        _peers.Hold("b");
        var dial = ResolveAsync("x.d").AsTask();
        _peers.Release("b");
        Assert.Equal("b", (await dial.WaitAsync(Patience.Long)).Holder);
    }

    [Fact]
    public async Task A_holder_that_cannot_be_asked_is_tried_all_the_same()
    {
        _b.Add(Route("x.d"));
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        _peers.Unlink("b");
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        _registry.Forget(Request("x.d"), "b");
        _peers.Stale("b");
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("x.d")).Status);
    }

    [Fact]
    public async Task A_miss_that_not_everybody_confirmed_is_none()
    {
        _peers.Unanswered = "b";
        Assert.Equal(ResolveStatus.Unanswered, (await ResolveAsync("x.d")).Status);
        _c.Add(Route("y.d"));
        Assert.Equal(ResolveStatus.Unanswered, (await ResolveAsync("z.d")).Status);
        _peers.Unanswered = "";
        _b.Add(Route("x.d"));
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
    }

    [Fact]
    public async Task A_dial_that_has_failed_at_the_first_holder_waits_for_what_the_others_say()
    {
        var route = Route("x.d");
        _b.Add(route);
        _c.Add(route);
        _peers.Hold("c");
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        var next = _registry.ResolveAsync(Request("x.d") with { TriedBrokers = ["b"] }, default).AsTask();
        _peers.Release("c");
        Assert.Equal("c", (await next.WaitAsync(Patience.Long)).Holder);
    }

    [Fact]
    public async Task When_every_holder_that_is_remembered_has_failed_the_others_are_asked_again()
    {
        var route = Route("x.d");
        _b.Add(route);
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        _b.Remove(route);
        _c.Add(route);
        Assert.Equal("c", (await _registry.ResolveAsync(Request("x.d") with { TriedBrokers = ["b"] }, default)).Holder);
    }

    [Fact]
    public async Task An_instance_elsewhere_is_dialled_before_a_domain_here()
    {
        _own.Add(Route("i.a.b"));
        _b.Add(Route("a.b"));
        var resolution = await ResolveAsync("a.b");
        Assert.Equal(("b", true), (resolution.Holder, resolution.IsAmbiguous));
    }

    [Fact]
    public async Task A_forwarded_dial_is_never_sent_on()
    {
        _b.Add(Route("x.d"));
        var forwarded = Request("x.d") with { Scope = ResolveScope.OwnOnly };
        Assert.Equal(ResolveStatus.NoSuchDomain, (await _registry.ResolveAsync(forwarded, default)).Status);
        Assert.Equal(0, _peers.Lookups);
    }

    [Fact]
    public async Task A_dialer_that_was_sent_here_for_a_domain_gets_an_instance_of_here()
    {
        _own.Add(Route("mine.d"));
        for (var i = 0; i < 100; i++)
        {
            _b.Add(Route($"i{i}.d"));
        }

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal("mine", (await _registry.ResolveAsync(Request("d") with { Scope = ResolveScope.OwnFirst }, default)).Route!.Name.Hostname);
        }
    }

    [Fact]
    public async Task A_broker_without_a_link_and_with_a_stale_lease_is_not_asked()
    {
        _b.Add(Route("x.d"));
        _peers.Stale("b");
        _peers.Unlink("b");
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("x.d")).Status);
        Assert.Equal(1, _peers.Lookups);
    }

    [Fact]
    public async Task A_miss_waits_half_a_second_for_the_link_of_a_broker_that_lives()
    {
        _b.Add(Route("x.d"));
        _peers.Unlink("b");
        var dial = ResolveAsync("x.d").AsTask();
        Assert.False(dial.IsCompleted);
        _peers.Link("b");
        _time.Advance(TimeSpan.FromMilliseconds(20));
        Assert.Equal("b", (await dial.WaitAsync(Patience.Long)).Holder);

        _peers.Unlink("b");
        var missed = ResolveAsync("y.e").AsTask();
        _time.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal(ResolveStatus.Unanswered, (await missed.WaitAsync(Patience.Long)).Status);
    }

    [Fact]
    public async Task A_name_that_is_found_waits_for_no_link()
    {
        _c.Add(Route("x.d"));
        _peers.Unlink("b");
        Assert.Equal("c", (await ResolveAsync("x.d")).Holder);
        Assert.Equal("c", (await ResolveAsync("d")).Holder);
    }

    private static ResolveRequest Request(string name) => new(name, 80, []);

    private static StreamRoute Route(string name)
    {
        Assert.True(InstanceName.TryParse(name, out var parsed));
        return new StreamRoute { StreamId = name, BrokerId = "b", Name = parsed, Ports = [80] };
    }

    private ValueTask<Resolution> ResolveAsync(string name) => _registry.ResolveAsync(Request(name), default);
}
