using Orleans.Core.Internal;
using Whip.Grains.Index;
using Whip.Protocol.Names;
using Whip.Registry;
using Whip.Tests.Grains.Membership;

namespace Whip.Tests.Grains;

/// <summary>What the grains of clients and domains know of several silos, and what a registry makes of it.</summary>
public sealed class HoldingGrainTests : IAsyncLifetime
{
    private SiloTestCluster _cluster = null!;

    private TestedSilo A => _cluster[0];

    private TestedSilo B => _cluster[1];

    private TestedSilo C => _cluster[2];

    public async Task InitializeAsync() => _cluster = await SiloTestCluster.StartAsync(silos: 3);

    public Task DisposeAsync() => _cluster.DisposeAsync().AsTask();

    [Fact]
    public async Task A_client_is_known_at_every_silo_by_all_that_hold_it()
    {
        var first = _cluster.Route("x.d");
        B.Local.Attach(first);
        await KnownAsync("x.d", "b2");
        C.Local.Attach(_cluster.Route("x.d"));
        await KnownAsync("x.d", "b2 b3");
        B.Local.Detach(first);
        await KnownAsync("x.d", "b3");
    }

    [Fact]
    public async Task A_domain_is_known_by_the_silos_that_hold_an_instance()
    {
        var (first, second) = (_cluster.Route("x.d"), _cluster.Route("y.d"));
        B.Local.Attach(first);
        B.Local.Attach(second);
        C.Local.Attach(_cluster.Route("z.d"));
        await KnownAsync("d", "b2 b3");
        B.Local.Detach(first);
        B.Local.Detach(second);
        await KnownAsync("d", "b3");
    }

    [Fact]
    public async Task A_grain_that_is_made_anew_asks_every_silo_before_it_answers()
    {
        B.Local.Attach(_cluster.Route("x.d"));
        C.Local.Attach(_cluster.Route("x.d"));
        await KnownAsync("x.d", "b2 b3");
        foreach (var _ in Enumerable.Range(0, 5))
        {
            await A.Grain<IClientGrain>("x.d").Cast<IGrainManagementExtension>().DeactivateOnIdle();
            await A.Grain<IDomainGrain>("d").Cast<IGrainManagementExtension>().DeactivateOnIdle();
            Assert.Equal("b2 b3", await AnsweredAsync("x.d"));
            Assert.Equal("b2 b3", await AnsweredAsync("d"));
        }
    }

    [Fact]
    public async Task A_grain_in_use_asks_before_its_next_answer_when_the_silos_are_others()
    {
        B.Local.Attach(_cluster.Route("x.d"));
        await KnownAsync("x.d", "b2");
        var d = await _cluster.AddAsync("b4");
        await _cluster.KnownAsync();

        // Without a push.
        var grain = A.Grain<IClientGrain>("x.d");
        Assert.Single((await grain.FindAsync())!);
        d.Local.Attach(_cluster.Route("x.d"));
        await Patience.UntilAsync(async () => (await grain.FindAsync())!.Count == 2, "the new silo among the holders");
        await _cluster.StopAsync(d);
        await KnownAsync("x.d", "b2");
    }

    [Fact]
    public async Task What_a_silo_said_before_does_not_undo_what_it_says_now()
    {
        var grain = A.Grain<IClientGrain>("x.d");
        B.Local.Attach(_cluster.Route("x.d"));
        await KnownAsync("x.d", "b2");
        var now = Assert.Single((await grain.FindAsync())!);
        await grain.UpdateAsync(now with { Version = now.Version - 1, IsHeld = false });
        Assert.Equal(now.Version, Assert.Single((await grain.FindAsync())!).Version);
        await grain.UpdateAsync(now with { Version = now.Version + 100_000, IsHeld = false });
        await grain.UpdateAsync(now with { Version = now.Version + 99_999 });
        Assert.Empty((await grain.FindAsync())!);
    }

    [Fact]
    public async Task A_grain_tracks_the_streams_themselves()
    {
        B.Local.Attach(_cluster.Route("x.d") with { AgentId = "agent", Generation = 7, Zone = "z" });
        await KnownAsync("x.d", "b2");
        var stream = Assert.Single(Assert.Single((await A.Grain<IClientGrain>("x.d").FindAsync())!).Streams);
        Assert.Equal(("s1", "agent", 7UL, "z", 80), (stream.StreamId, stream.AgentId, stream.Generation, stream.Zone, Assert.Single(stream.Ports)));
    }

    [Fact]
    public async Task A_grain_knows_which_ports_of_a_stream_fail_their_check()
    {
        var route = _cluster.Route("x.d");
        B.Local.Attach(route);
        await KnownAsync("x.d", "b2");
        B.Local.Update(route with { Failing = new Dictionary<int, PortFailure> { [80] = new("tcp", "connection refused", DateTimeOffset.UnixEpoch) } });
        await Patience.UntilAsync(async () => await FailingAsync() is [80], "the port that fails");
        B.Local.Update(route);
        await Patience.UntilAsync(async () => await FailingAsync() is [], "no port that fails");

        async Task<int[]> FailingAsync() => (await A.Grain<IClientGrain>("x.d").FindAsync())!.Single().Streams.Single().FailingPorts!;
    }

    [Fact]
    public async Task What_a_silo_held_is_dropped_when_it_is_dead()
    {
        B.Local.Attach(_cluster.Route("x.d"));
        C.Local.Attach(_cluster.Route("x.d"));
        await KnownAsync("x.d", "b2 b3");
        await KnownAsync("d", "b2 b3");
        await _cluster.StopAsync(C);
        await KnownAsync("x.d", "b2");
        await KnownAsync("d", "b2");
    }

    [Fact]
    public async Task A_broker_whose_silo_is_new_pushes_what_it_holds()
    {
        B.Local.Attach(_cluster.Route("x.d"));
        await KnownAsync("x.d", "b2");
        var first = B.Address;
        ((MemoryStore)_cluster.Store).Kill(first);
        await Task.WhenAll(_cluster.Silos.Select(silo => silo.ReadTableAsync().AsTask()).ToArray()).WaitAsync(Patience.Long);
        await Patience.UntilAsync(() => B.Grains.Silo is { } now && !now.Address.Equals(first), "another silo");
        await _cluster.KnownAsync();
        await KnownAsync("x.d", "b2");
        await KnownAsync("d", "b2");
        var holding = Assert.Single((await A.Grain<IClientGrain>("x.d").FindAsync())!);
        Assert.Equal(B.Address, holding.Silo);
    }

    [Fact]
    public async Task A_name_is_found_wherever_it_is()
    {
        C.Local.Attach(_cluster.Route("x.d"));
        Assert.Equal("b3", (await ResolveAsync("x.d")).Holder);
        Assert.Equal("b3", (await ResolveAsync("d")).Holder);
        Assert.Equal(ResolveStatus.NoSuchHost, (await ResolveAsync("y.d")).Status);
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("y.e")).Status);
    }

    [Theory]
    [InlineData("x.d")]
    [InlineData("d")]
    public async Task A_dial_that_waits_is_woken_by_a_registration_at_another_broker(string name)
    {
        using var watch = A.Registry.Watch(name)!;
        using var other = A.Registry.Watch("y.e")!;
        B.Local.Attach(_cluster.Route("x.d"));
        await watch.Woken.WaitAsync(Patience.Long);
        Assert.False(other.Woken.IsCompleted);
    }

    [Fact]
    public async Task Word_that_comes_after_the_registration_is_answered_at_once()
    {
        B.Local.Attach(_cluster.Route("x.d"));
        await KnownAsync("x.d", "b2");
        using var watch = A.Local.Watch("x.d")!;
        A.Grains.Others.LeaveWord("x.d");
        await watch.Woken.WaitAsync(Patience.Long);
    }

    private Task KnownAsync(string name, string holders) => Patience.UntilAsync(
        async () => (await Task.WhenAll(_cluster.Silos.Select(silo => silo.FindAsync(name)))).All(seen => seen == holders), $"{name} known at {holders}");

    /// <summary>The first answer there is: on a busy machine a grain may be too slow.</summary>
    private async Task<string> AnsweredAsync(string name)
    {
        var answer = "";
        await Patience.UntilAsync(async () => (answer = await A.FindAsync(name)) != "no answer", $"an answer about {name}");
        return answer;
    }

    private async Task<Resolution> ResolveAsync(string name)
    {
        var resolution = default(Resolution);
        await Patience.UntilAsync(
            async () => (resolution = await A.Registry.ResolveAsync(new ResolveRequest(DialTarget.Of(name, 80), []), default)).Status
                != ResolveStatus.Unanswered,
            $"an answer about {name}");
        return resolution;
    }
}
