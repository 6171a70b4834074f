using Whip.Grains.Index;
using Whip.Protocol.Names;
using Whip.Registry;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Grains;

/// <summary>What the grains of clients and domains know of several silos, and what a registry makes of it.</summary>
public sealed class GrainIndexTests : IAsyncLifetime
{
    private GrainTestCluster _cluster = null!;
    private int _streams;

    private string A => _cluster.Ids[0];

    private string B => _cluster.Ids[1];

    private string C => _cluster.Ids[2];

    public async Task InitializeAsync() => _cluster = await GrainTestCluster.StartAsync(silos: 3);

    public async Task DisposeAsync()
    {
        await _cluster.Registry.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task A_client_is_known_at_every_silo_by_all_that_hold_it()
    {
        var first = Route("x.d", B);
        _cluster.Add(B, first);
        await KnownAsync("x.d", B);
        _cluster.Add(C, Route("x.d", C));
        await KnownAsync("x.d", $"{B} {C}");
        _cluster.Remove(B, first);
        await KnownAsync("x.d", C);
    }

    [Fact]
    public async Task A_domain_is_known_by_the_silos_that_hold_an_instance()
    {
        var (first, second) = (Route("x.d", B), Route("y.d", B));
        _cluster.Add(B, first);
        _cluster.Add(B, second);
        _cluster.Add(C, Route("z.d", C));
        await KnownAsync("d", $"{B} {C}");
        _cluster.Remove(B, first);
        _cluster.Remove(B, second);
        await KnownAsync("d", C);
    }

    [Fact]
    public async Task A_domain_is_not_known_before_every_silo_was_asked()
    {
        _cluster.Table(C).Add(Route("y.d", C));
        _cluster.Add(B, Route("x.d", B));
        var first = "";
        await Patience.UntilAsync(async () => (first = await _cluster.HoldersAsync(A, "d")) != "no answer", "what the grain knows");
        Assert.Equal(Sorted($"{B} {C}"), first);
    }

    [Fact]
    public async Task A_known_name_is_asked_of_its_holder_alone()
    {
        _cluster.Add(B, Route("x.d", B));
        await KnownAsync("x.d", B);
        Assert.Equal(B, (await ResolveAsync("x.d")).Holder);
        Assert.Equal(1, _cluster.Peers.Lookups);
    }

    [Fact]
    public async Task A_grain_that_knows_nothing_asks_every_silo()
    {
        // Added without an announcement.
        _cluster.Table(B).Add(Route("x.d", B));
        _cluster.Table(C).Add(Route("x.d", C));
        await KnownAsync("x.d", $"{B} {C}", A);
        await KnownAsync("d", $"{B} {C}", A);
    }

    [Fact]
    public async Task A_grain_that_forgot_asks_again()
    {
        _cluster.Add(B, Route("x.d", B));
        await KnownAsync("x.d", B);
        await _cluster.ForgetAsync(_cluster.Grain<IClientGrain>("x.d"));
        await KnownAsync("x.d", B);
    }

    [Fact]
    public async Task What_a_silo_said_before_does_not_undo_what_it_says_now()
    {
        var grain = _cluster.Grain<IClientGrain>("x.d");
        _cluster.Add(B, Route("x.d", B));
        await KnownAsync("x.d", B);
        var now = Assert.Single(await grain.FindAsync(default));
        await grain.AnnounceAsync(now with { Version = now.Version - 1, Streams = [] }, default);
        Assert.Equal(now.Version, Assert.Single(await grain.FindAsync(default)).Version);
        await grain.AnnounceAsync(now with { Version = now.Version + 1000, Streams = [] }, default);
        await grain.AnnounceAsync(now with { Version = now.Version + 999 }, default);
        Assert.Empty(await grain.FindAsync(default));
    }

    [Fact]
    public async Task A_grain_tracks_the_streams_themselves()
    {
        _cluster.Add(B, Route("x.d", B) with { AgentId = "agent", Generation = 7, Zone = "z" });
        await KnownAsync("x.d", B);
        var stream = Assert.Single(Assert.Single(await _cluster.Grain<IClientGrain>("x.d").FindAsync(default)).Streams);
        Assert.Equal(("s1", "agent", 7UL, "z", 80), (stream.StreamId, stream.AgentId, stream.Generation, stream.Zone, Assert.Single(stream.Ports)));
    }

    [Fact]
    public async Task The_routes_of_a_dead_silo_are_dropped()
    {
        _cluster.Add(B, Route("x.d", B));
        _cluster.Add(C, Route("x.d", C));
        await KnownAsync("x.d", $"{B} {C}");
        await KnownAsync("d", $"{B} {C}");
        await _cluster.KillAsync(C);
        await KnownAsync("x.d", B, A);
        await KnownAsync("d", B, A);
    }

    [Fact]
    public async Task A_broker_says_again_what_it_holds()
    {
        _cluster.Add(B, Route("x.d", B));
        await KnownAsync("x.d", B);
        await KnownAsync("d", B);
        var (client, domain) = (_cluster.Grain<IClientGrain>("x.d"), _cluster.Grain<IDomainGrain>("d"));
        var (clientBefore, domainBefore) = ((await client.FindAsync(default))[0].Version, (await domain.FindAsync(default))![0].Version);
        _cluster.SilosChanged(B);
        await Patience.UntilAsync(
            async () => (await client.FindAsync(default))[0].Version > clientBefore && (await domain.FindAsync(default))![0].Version > domainBefore,
            "newer words of the broker at both grains");
    }

    [Fact]
    public async Task A_holder_that_the_grain_has_wrong_is_found_by_asking_everybody()
    {
        var stale = Route("x.d", B);
        _cluster.Add(B, stale);
        await KnownAsync("x.d", B);
        _cluster.Table(B).Remove(stale);
        _cluster.Table(C).Add(Route("x.d", C));
        Assert.Equal(C, (await ResolveAsync("x.d")).Holder);
    }

    [Fact]
    public async Task A_name_of_nobody_is_told_apart_as_ever()
    {
        _cluster.Add(B, Route("x.d", B));
        Assert.Equal(ResolveStatus.NoSuchHost, (await ResolveAsync("y.d")).Status);
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync("y.e")).Status);
    }

    private Task<string[]> SeenAsync(string name, string[] through) => Task.WhenAll(through.Select(id => _cluster.HoldersAsync(id, name)));

    private Task KnownAsync(string name, string holders, params string[] through) => Patience.UntilAsync(
        async () => (await SeenAsync(name, through.Length == 0 ? [A, B, C] : through)).All(seen => seen == Sorted(holders)), $"{name} known at {holders}");

    private static string Sorted(string ids) => string.Join(' ', ids.Split(' ').Order());

    private async Task<Resolution> ResolveAsync(string name) => await _cluster.Registry.ResolveAsync(new ResolveRequest(name, 80, []), default);

    private StreamRoute Route(string name, string broker)
    {
        Assert.True(InstanceName.TryParse(name, out var parsed));
        return new StreamRoute { StreamId = $"s{++_streams}", BrokerId = broker, Name = parsed, Ports = [80] };
    }
}
