using Whip.Protocol.Names;
using Whip.Registry;
using Whip.Registry.Holders;
using Whip.Registry.Routes;

namespace Whip.Tests.Registry.Holders;

/// <summary>The contract on one broker of three, and what is particular to asking the others.</summary>
public sealed class ClusterRegistryTests : RegistryContractTests, IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeOthers _others = new();
    private readonly LocalRoutes _b;
    private readonly LocalRoutes _c;
    private readonly LocalRoutes _own = new(100);
    private readonly ClusterRegistry _registry;
    private ClusterRegistry? _underContract;

    public ClusterRegistryTests()
    {
        (_b, _c) = (_others.Add("b"), _others.Add("c"));
        _registry = new ClusterRegistry(_own, _others, _time);
    }

    private protected override Task<IClientRegistry> CreateAsync(int maxWatchesPerName)
    {
        var others = new FakeOthers();
        others.Add("other");
        others.Add("another");
        _underContract = new ClusterRegistry(new LocalRoutes(maxWatchesPerName), others, TimeProvider.System);
        return Task.FromResult<IClientRegistry>(_underContract);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await (_underContract?.DisposeAsync() ?? ValueTask.CompletedTask);

    [Fact]
    public async Task A_stream_of_this_broker_is_found_without_asking_anybody()
    {
        _own.Attach(Route("x.d"));
        Assert.NotNull((await ResolveAsync("x.d")).Route);
        Assert.Equal(0, _others.Questions);
    }

    [Fact]
    public async Task Those_are_asked_that_the_grains_name()
    {
        _b.Attach(Route("x.d"));
        _others.Named = new KnownHolders(IsHere: false, ["b"]);
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        Assert.Equal(1, _others.Questions);
    }

    [Fact]
    public async Task Everybody_is_asked_when_the_grains_are_wrong()
    {
        _c.Attach(Route("x.d"));
        _others.Named = new KnownHolders(IsHere: false, ["b"]);
        Assert.Equal("c", (await ResolveAsync("x.d")).Holder);
    }

    [Fact]
    public async Task Everybody_is_asked_when_the_grains_do_not_answer_within_250_ms()
    {
        _c.Attach(Route("x.d"));
        _others.Naming = new TaskCompletionSource<KnownHolders?>().Task;
        var dial = ResolveAsync("x.d").AsTask();
        await AdvanceAsync(() => dial.IsCompleted);
        Assert.Equal("c", (await dial).Holder);
    }

    [Fact]
    public async Task The_silence_of_grains_is_no_proof()
    {
        _others.Named = new KnownHolders(IsHere: false, []);
        _b.Attach(Route("x.d"));
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("y.e")).Status);
        Assert.Equal(4, _others.Questions);
    }

    [Fact]
    public async Task That_the_grains_name_this_broker_alone_is_no_proof_either()
    {
        _others.Named = new KnownHolders(IsHere: true, []);
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("x.d")).Status);
        Assert.Equal(2, _others.Questions);
    }

    [Fact]
    public async Task A_holder_is_remembered_until_it_is_forgotten_or_30_seconds_are_over()
    {
        var route = Route("x.d");
        _b.Attach(route);
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        await Patience.UntilAsync(() => _others.Questions == 2, "the question to the other one");
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        Assert.Equal(2, _others.Questions);

        _b.Detach(route);
        _c.Attach(route);
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        _registry.Forget(Request("x.d"), "b");
        Assert.Equal("c", (await ResolveAsync("x.d") with { HasMore = false }).Holder);

        _c.Detach(route);
        _time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("x.d")).Status);
    }

    [Fact]
    public async Task A_miss_is_believed_for_one_second()
    {
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("x.d")).Status);
        _b.Attach(Route("x.d"));
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("x.d")).Status);
        Assert.Equal(2, _others.Questions);
        _time.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
    }

    [Fact]
    public async Task A_dial_that_waits_believes_no_miss()
    {
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("x.d")).Status);
        _c.Attach(Route("x.d"));
        Assert.Equal("c", (await _registry.ResolveAsync(Request("x.d") with { IsFresh = true }, default)).Holder);
    }

    [Fact]
    public async Task The_first_holder_that_answers_is_taken_and_the_others_are_learnt_when_they_answer()
    {
        var route = Route("x.d");
        _b.Attach(route);
        _c.Attach(route);
        _others.Hold("b");
        var first = await ResolveAsync("x.d");
        Assert.Equal(("c", false), (first.Holder, first.HasMore));

        _others.Release("b");
        await Patience.UntilAsync(async () => (await ResolveAsync("x.d")).HasMore, "the second holder");
        Assert.Equal("b", (await ResolveAsync("x.d", "c")).Holder);
        Assert.Equal(ResolveStatus.Exhausted, (await ResolveAsync("x.d", "b", "c")).Status);
    }

    [Fact]
    public async Task An_agent_that_registers_here_while_the_others_are_asked_is_found()
    {
        _others.Hold("b");
        _others.Hold("c");
        var dial = ResolveAsync("x.d").AsTask();
        _own.Attach(Route("x.d"));
        _others.Release("b");
        _others.Release("c");
        Assert.NotNull((await dial.WaitAsync(Patience.Long)).Route);
    }

    [Fact]
    public async Task Dials_that_miss_together_ask_once()
    {
        _others.Hold("b");
        _others.Hold("c");
        var dials = Enumerable.Range(0, 50).Select(_ => ResolveAsync("x.d").AsTask()).ToList();
        _others.Release("b");
        _others.Release("c");
        await Task.WhenAll(dials).WaitAsync(Patience.Long);
        Assert.Equal(2, _others.Questions);
    }

    [Fact]
    public async Task A_suspect_holder_is_tried_last_and_not_waited_for()
    {
        var route = Route("x.d");
        _b.Attach(route);
        _c.Attach(route);
        _others.Suspect("b");
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal("c", (await ResolveAsync("x.d")).Holder);
        }

        await Patience.UntilAsync(async () => (await ResolveAsync("x.d", "c")).Holder == "b", "the suspect one, when nobody else is left");

        _others.Hold("b");
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("y.e")).Status);
        _others.Release("b");
    }

    [Fact]
    public async Task A_holder_that_became_suspect_and_does_not_answer_is_tried_when_nobody_else_has_the_name()
    {
        _b.Attach(Route("x.d"));
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        _others.Suspect("b");
        _others.Silent = ["b"];
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        _registry.Forget(Request("x.d"), "b");
        _time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("x.d")).Status);
    }

    [Fact]
    public async Task When_a_holder_becomes_suspect_the_others_are_asked_whether_they_have_the_name_by_now()
    {
        var route = Route("x.d");
        _b.Attach(route);
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        _c.Attach(route);
        _others.Suspect("b");
        await Patience.UntilAsync(async () => (await ResolveAsync("x.d")).Holder == "c", "the trusted holder");
    }

    [Fact]
    public async Task A_miss_that_not_everybody_confirmed_is_none()
    {
        _others.Silent = ["b"];
        Assert.Equal(ResolveStatus.Unanswered, (await ResolveAsync("x.d")).Status);
        _c.Attach(Route("y.d"));
        Assert.Equal(ResolveStatus.Unanswered, (await ResolveAsync("z.d")).Status);
        _others.Silent = [];
        _b.Attach(Route("x.d"));
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
    }

    [Fact]
    public async Task Who_does_not_answer_a_miss_is_asked_once_more()
    {
        _others.Silent = ["b"];
        await ResolveAsync("x.d");
        Assert.Equal(3, _others.Questions);
    }

    [Fact]
    public async Task That_nobody_has_the_name_is_not_for_suspect_brokers_to_prove()
    {
        _others.Suspect("b");
        _others.Suspect("c");
        _others.Silent = ["b", "c"];
        Assert.Equal(ResolveStatus.Unanswered, (await ResolveAsync("x.d")).Status);
        _others.Silent = ["b"];
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("x.d")).Status);
    }

    [Fact]
    public async Task While_a_silo_has_just_died_nobody_can_say_that_a_name_is_not_there()
    {
        _others.IsUnsettled = true;
        Assert.Equal(ResolveStatus.Unanswered, (await ResolveAsync("x.d")).Status);
        _others.IsUnsettled = false;
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("x.d")).Status);
    }

    [Fact]
    public async Task Without_a_silo_a_dial_goes_to_what_is_remembered_and_else_waits_for_one_for_a_second_and_a_half()
    {
        _b.Attach(Route("x.d"));
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        _own.Attach(Route("mine.d"));
        _others.LoseSilo();
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        Assert.NotNull((await ResolveAsync("mine.d")).Route);

        _c.Attach(Route("y.d"));
        var dial = ResolveAsync("y.d").AsTask();
        await Patience.UntilAsync(() => _others.Patience == TimeSpan.FromSeconds(1.5), "the wait for a silo");
        Assert.False(dial.IsCompleted);
        _others.FindSilo();
        Assert.Equal("c", (await dial.WaitAsync(Patience.Long)).Holder);

        _others.LoseSilo();
        var missed = ResolveAsync("z.d").AsTask();
        _others.PatienceOver.SetResult();
        Assert.Equal(ResolveStatus.Unanswered, (await missed.WaitAsync(Patience.Long)).Status);
    }

    [Fact]
    public async Task A_dial_that_has_failed_at_the_first_holder_waits_for_what_the_others_say()
    {
        var route = Route("x.d");
        _b.Attach(route);
        _c.Attach(route);
        _others.Hold("c");
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        var next = ResolveAsync("x.d", "b").AsTask();
        _others.Release("c");
        Assert.Equal("c", (await next.WaitAsync(Patience.Long)).Holder);
    }

    [Fact]
    public async Task When_every_holder_that_is_remembered_has_failed_the_others_are_asked_again()
    {
        var route = Route("x.d");
        _b.Attach(route);
        Assert.Equal("b", (await ResolveAsync("x.d")).Holder);
        _b.Detach(route);
        _c.Attach(route);
        Assert.Equal("c", (await ResolveAsync("x.d", "b")).Holder);
    }

    [Fact]
    public async Task An_instance_elsewhere_is_dialled_before_a_domain_here()
    {
        _own.Attach(Route("i.a.b"));
        _b.Attach(Route("a.b"));
        var resolution = await ResolveAsync("a.b");
        Assert.Equal(("b", true), (resolution.Holder, resolution.IsAmbiguous));
    }

    [Fact]
    public async Task A_forwarded_dial_is_never_sent_on()
    {
        _b.Attach(Route("x.d"));
        var forwarded = Request("x.d") with { Scope = ResolveScope.OwnOnly };
        Assert.Equal(ResolveStatus.NoSuchDomain, (await _registry.ResolveAsync(forwarded, default)).Status);
        Assert.Equal(0, _others.Questions);
    }

    [Fact]
    public async Task A_dialer_that_was_sent_here_for_a_domain_gets_an_instance_of_here()
    {
        _own.Attach(Route("mine.d"));
        for (var i = 0; i < 100; i++)
        {
            _b.Attach(Route($"i{i}.d"));
        }

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal("mine", (await _registry.ResolveAsync(Request("d") with { Scope = ResolveScope.OwnFirst }, default)).Route!.Name.Hostname);
        }
    }

    [Fact]
    public async Task An_instance_that_fails_its_check_here_goes_to_a_holder_where_it_does_not()
    {
        _own.Attach(Failing("x.d"));
        _b.Attach(Failing("x.d"));
        Assert.Equal(["x.d"], (await ResolveAsync("x.d")).Failing.Select(failing => failing.Name));
        _c.Attach(Route("x.d"));
        _time.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Equal("c", (await ResolveAsync("x.d")).Holder);
    }

    [Fact]
    public async Task A_domain_goes_to_brokers_with_healthy_instances_and_without_any_those_that_fail_are_named()
    {
        _own.Attach(Failing("mine.d"));
        _b.Attach(Failing("theirs.d"));
        _c.Attach(Route("healthy.d"));
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal("c", (await ResolveAsync("d")).Holder);
        }

        _c.Update(Failing("healthy.d"));
        _time.Advance(TimeSpan.FromSeconds(1.1));
        var none = await ResolveAsync("d");
        Assert.Equal(ResolveStatus.Unhealthy, none.Status);
        Assert.Equal(["healthy.d", "mine.d", "theirs.d"], none.Failing.Select(failing => failing.Name).Order());
    }

    [Fact]
    public async Task Word_is_left_for_a_name_that_a_dial_waits_for_and_everybody_asked_every_two_seconds()
    {
        using var watch = _registry.Watch("x.d")!;
        using var another = _registry.Watch("x.d")!;
        await Patience.UntilAsync(() => _others.Words is ["x.d"], "the first word");
        Assert.Equal(0, _others.Questions);

        // Without an announcement.
        _c.Attach(Route("x.d"));
        await AdvanceAsync(() => _others.Words is ["x.d", "x.d"]);
        await watch.Woken.WaitAsync(Patience.Long);
        await another.Woken.WaitAsync(Patience.Long);
        Assert.Equal(2, _others.Questions);
    }

    [Fact]
    public async Task No_more_word_is_left_when_nobody_waits_any_more()
    {
        _registry.Watch("x.d")!.Dispose();
        await Patience.UntilAsync(() => _others.Words is ["x.d"], "the first word");
        using var other = _registry.Watch("y.d")!;
        await AdvanceAsync(() => _others.Words.Count(name => name == "y.d") == 3);
        Assert.Single(_others.Words, name => name == "x.d");
    }

    [Fact]
    public async Task A_registry_that_ends_leaves_no_wait_behind()
    {
        using var watch = _registry.Watch("x.d")!;
        await _registry.DisposeAsync().AsTask().WaitAsync(Patience.Long);
        Assert.False(watch.Woken.IsCompleted);
    }

    private static ResolveRequest Request(string name) => new(DialTarget.Of(name, 80), []);

    private static StreamRoute Failing(string name) =>
        Route(name) with { Failing = new Dictionary<int, PortFailure> { [80] = new("tcp", "connection refused", DateTimeOffset.UnixEpoch) } };

    private static StreamRoute Route(string name)
    {
        Assert.True(InstanceName.TryParse(name, out var parsed));
        return new StreamRoute { StreamId = name, BrokerId = "b", Name = parsed, Ports = [80] };
    }

    private Task AdvanceAsync(Func<bool> until) => Patience.UntilAsync(
        () =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            return until();
        },
        "what comes with time");

    private ValueTask<Resolution> ResolveAsync(string name, params string[] tried) =>
        _registry.ResolveAsync(Request(name) with { TriedBrokers = tried }, default);
}
