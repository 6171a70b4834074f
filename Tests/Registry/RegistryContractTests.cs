using Whip.Protocol.Names;
using Whip.Registry;

namespace Whip.Tests.Registry;

/// <summary>What every engine of the registry must do; an engine's tests derive from it.</summary>
public abstract class RegistryContractTests
{
    private readonly PortFailure _failure = new("tcp", "connection refused", DateTimeOffset.UnixEpoch);
    private int _streams;

    private protected abstract Task<IClientRegistry> CreateAsync(int maxWatchesPerName = 256);

    [SkippableFact]
    public async Task An_instance_resolves_to_its_newest_stream_and_falls_back_to_the_next()
    {
        var registry = await CreateAsync();
        var older = Attach(registry, "a.d");
        var newer = Attach(registry, "a.d");

        var first = await ResolveAsync(registry, "a.d", 80);
        Assert.Equal((newer.StreamId, true), (first.Route!.StreamId, first.HasMore));
        var second = await ResolveAsync(registry, "a.d", 80, newer);
        Assert.Equal((older.StreamId, false), (second.Route!.StreamId, second.HasMore));
        Assert.Equal(ResolveStatus.Exhausted, (await ResolveAsync(registry, "a.d", 80, newer, older)).Status);
    }

    [SkippableFact]
    public async Task A_missing_name_tells_whether_its_domain_exists()
    {
        var registry = await CreateAsync();
        Attach(registry, "a.d");
        Assert.Equal(ResolveStatus.NoSuchHost, (await ResolveAsync(registry, "b.d", 80)).Status);
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync(registry, "b.e", 80)).Status);
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync(registry, "e", 80)).Status);
    }

    [SkippableFact]
    public async Task A_port_that_nobody_publishes_is_told_apart()
    {
        var registry = await CreateAsync();
        Attach(registry, "a.d");
        Assert.Equal(ResolveStatus.PortNotPublished, (await ResolveAsync(registry, "a.d", 81)).Status);
        Assert.Equal(ResolveStatus.PortNotPublished, (await ResolveAsync(registry, "d", 81)).Status);
    }

    [SkippableFact]
    public async Task A_stream_that_fails_the_check_of_a_port_is_no_choice_and_an_instance_without_another_is_unhealthy()
    {
        var registry = await CreateAsync();
        var older = Attach(registry, "a.d");
        var newer = Attach(registry, "a.d");
        registry.Update(Failing(newer));
        var left = await ResolveAsync(registry, "a.d", 80);
        Assert.Equal((older.StreamId, false), (left.Route!.StreamId, left.HasMore));
        Assert.Equal(ResolveStatus.Exhausted, (await ResolveAsync(registry, "a.d", 80, older)).Status);

        registry.Update(Failing(older));
        var none = await ResolveAsync(registry, "a.d", 80);
        Assert.Equal((ResolveStatus.Unhealthy, new FailingInstance("a.d", _failure)), (none.Status, Assert.Single(none.Failing)));
        Assert.Equal(ResolveStatus.PortNotPublished, (await ResolveAsync(registry, "a.d", 81)).Status);
        registry.Update(newer);
        Assert.Equal(newer.StreamId, (await ResolveAsync(registry, "a.d", 80)).Route!.StreamId);
    }

    [SkippableFact]
    public async Task A_stream_that_was_tried_is_not_chosen_again_when_its_health_changes()
    {
        var registry = await CreateAsync();
        var only = Attach(registry, "a.d");
        registry.Update(Failing(only, port: 81));
        Assert.Equal(ResolveStatus.Exhausted, (await ResolveAsync(registry, "a.d", 80, only)).Status);
    }

    [SkippableFact]
    public async Task A_domain_dial_is_uniform_over_the_instances_that_are_healthy()
    {
        var registry = await CreateAsync();
        var routes = Enumerable.Range(0, 6).Select(i => Attach(registry, $"i{i}.d")).ToList();
        routes[..3].ForEach(route => registry.Update(Failing(route)));
        registry.Update(routes[0]);
        const int Dials = 4_000;
        var counts = new Dictionary<string, int>();
        for (var i = 0; i < Dials; i++)
        {
            var name = (await ResolveAsync(registry, "d", 80)).Route!.Name.Hostname;
            counts[name] = counts.GetValueOrDefault(name) + 1;
        }

        // Four expected values of 1,000 with a standard deviation of 27.
        Assert.Equal(["i0", "i3", "i4", "i5"], counts.Keys.Order());
        Assert.All(counts.Values, count => Assert.InRange(count, 830, 1170));
    }

    [SkippableFact]
    public async Task A_domain_without_a_healthy_instance_names_some_and_is_served_by_the_first_that_returns()
    {
        var registry = await CreateAsync();
        var routes = Enumerable.Range(0, 5).Select(i => Attach(registry, $"i{i}.d")).ToList();
        routes.ForEach(route => registry.Update(Failing(route)));
        var none = await ResolveAsync(registry, "d", 80);
        Assert.Equal((ResolveStatus.Unhealthy, FailingInstance.Most), (none.Status, none.Failing.Count));
        Assert.All(none.Failing, failing => Assert.Equal(_failure, failing.Failure));
        Assert.Equal(ResolveStatus.PortNotPublished, (await ResolveAsync(registry, "d", 81)).Status);

        registry.Update(routes[2]);
        Assert.Equal("i2", (await ResolveAsync(registry, "d", 80)).Route!.Name.Hostname);
        registry.Detach(routes[2]);
        Assert.Equal(ResolveStatus.Unhealthy, (await ResolveAsync(registry, "d", 80)).Status);
    }

    [SkippableFact]
    public async Task What_is_said_of_a_stream_that_is_gone_does_not_bring_it_back()
    {
        var registry = await CreateAsync();
        var gone = Attach(registry, "a.d");
        registry.Detach(gone);
        registry.Update(gone);
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync(registry, "a.d", 80)).Status);
        var other = Attach(registry, "a.d");
        registry.Update(Failing(gone));
        Assert.Equal(other.StreamId, (await ResolveAsync(registry, "a.d", 80)).Route!.StreamId);
    }

    [SkippableFact]
    public async Task The_end_of_an_old_stream_keeps_the_new_registration()
    {
        var registry = await CreateAsync();
        var old = Attach(registry, "a.d");
        var current = Attach(registry, "a.d");
        registry.Detach(old);
        registry.Detach(old);
        Assert.Equal(current.StreamId, (await ResolveAsync(registry, "a.d", 80)).Route!.StreamId);

        registry.Detach(current);
        Assert.Equal(ResolveStatus.NoSuchDomain, (await ResolveAsync(registry, "a.d", 80)).Status);
    }

    [SkippableFact]
    public async Task A_higher_generation_of_the_same_agent_and_leaf_fences_the_older_stream()
    {
        var registry = await CreateAsync();
        var old = Route("a.d") with { AgentId = "x", Generation = 1, Leaf = "l" };
        registry.Attach(old);
        registry.Attach(Route("a.d") with { AgentId = "x", Generation = 9, Leaf = "another leaf" });
        registry.Attach(Route("a.d") with { AgentId = "", Generation = 9, Leaf = "l" });

        var fenced = registry.Attach(Route("a.d") with { AgentId = "x", Generation = 2, Leaf = "l" });
        Assert.Equal(old.StreamId, Assert.Single(fenced).StreamId);
        Assert.Empty(registry.Attach(Route("a.d") with { AgentId = "x", Generation = 1, Leaf = "l" }));
    }

    [SkippableFact]
    public async Task A_domain_dial_is_uniform_over_the_instances_that_publish_the_port()
    {
        var registry = await CreateAsync();
        for (var i = 0; i < 5; i++)
        {
            Attach(registry, $"i{i}.d");
        }

        Attach(registry, "i0.d");
        registry.Attach(Route("other.d") with { Ports = [81] });

        const int Dials = 10_000;
        var counts = new Dictionary<string, int>();
        for (var i = 0; i < Dials; i++)
        {
            var name = (await ResolveAsync(registry, "d", 80)).Route!.Name.Hostname;
            counts[name] = counts.GetValueOrDefault(name) + 1;
        }

        // Five expected values of 2,000 with a standard deviation of 40: six of them are out of reach of chance.
        Assert.Equal(5, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, 1760, 2240));
    }

    [SkippableFact]
    public async Task A_domain_dial_offers_each_instance_once()
    {
        var registry = await CreateAsync();
        for (var i = 0; i < 3; i++)
        {
            Attach(registry, $"i{i}.d");
        }

        var tried = new List<StreamRoute>();
        for (var i = 0; i < 3; i++)
        {
            tried.Add((await ResolveAsync(registry, "d", 80, [.. tried])).Route!);
        }

        Assert.Equal(3, tried.Select(route => route.Name).Distinct().Count());
        Assert.Equal(ResolveStatus.Exhausted, (await ResolveAsync(registry, "d", 80, [.. tried])).Status);
    }

    [SkippableFact]
    public async Task A_name_that_is_instance_and_domain_is_the_instance_and_says_so()
    {
        var registry = await CreateAsync();
        var instance = Attach(registry, "a.b");
        Attach(registry, "x.a.b");
        var resolution = await ResolveAsync(registry, "a.b", 80);
        Assert.Equal((instance.StreamId, true), (resolution.Route!.StreamId, resolution.IsAmbiguous));
    }

    [SkippableTheory]
    [InlineData("a.d")]
    [InlineData("d")]
    public async Task A_watch_is_woken_by_its_own_name_alone(string watched)
    {
        var registry = await CreateAsync();
        using var watch = registry.Watch(watched)!;
        using var other = registry.Watch("elsewhere")!;
        Attach(registry, "a.d");
        await watch.Woken.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.False(other.Woken.IsCompleted);
    }

    [SkippableFact]
    public async Task Watches_are_bounded_per_name_and_give_their_place_back()
    {
        var registry = await CreateAsync(maxWatchesPerName: 2);
        var first = registry.Watch("a.d");
        using var second = registry.Watch("a.d");
        Assert.Null(registry.Watch("a.d"));
        first!.Dispose();
        using var third = registry.Watch("a.d");
        Assert.NotNull(third);
    }

    private static async Task<Resolution> ResolveAsync(IClientRegistry registry, string name, int port, params StreamRoute[] tried) =>
        await registry.ResolveAsync(new ResolveRequest(DialTarget.Of(name, port), tried), default);

    private StreamRoute Attach(IClientRegistry registry, string name)
    {
        var route = Route(name);
        registry.Attach(route);
        return route;
    }

    private StreamRoute Failing(StreamRoute route, int port = 80) => route with { Failing = new Dictionary<int, PortFailure> { [port] = _failure } };

    private StreamRoute Route(string name)
    {
        Assert.True(InstanceName.TryParse(name, out var parsed));
        return new StreamRoute { StreamId = $"s{++_streams}", BrokerId = "b", Name = parsed, Ports = [80] };
    }
}
