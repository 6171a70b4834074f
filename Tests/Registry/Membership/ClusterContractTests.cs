using Whip.Registry.Membership;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Registry.Membership;

/// <summary>
/// What every membership of several brokers must do. The brokers that a test creates are of one cluster and judge each other within a few
/// seconds; a broker that is disposed without leaving has crashed.
/// </summary>
public abstract class ClusterContractTests : MembershipContractTests
{
    [SkippableFact]
    public async Task Brokers_see_each_other_join_and_leave()
    {
        await using var a = await JoinAsync("a");
        await using var b = await JoinAsync("b");
        await using var c = await JoinAsync("c");
        foreach (var membership in new[] { a, b, c })
        {
            await membership.SeesAsync("a b c");
        }

        Assert.Equal(a.Find("c"), c.Find("c"));
        Assert.Equal(3, a.Members.Select(m => m.Incarnation).Distinct().Count());

        await b.LeaveAsync(CancellationToken.None).WaitAsync(Patience.Long);
        await a.SeesAsync("a c");
        await c.SeesAsync("a c");
    }

    [SkippableFact]
    public async Task The_others_see_that_a_broker_drains()
    {
        await using var a = await JoinAsync("a");
        await using var b = await JoinAsync("b");
        b.SetDraining(true);
        await a.SeesAsync("a b!");
        b.SetDraining(false);
        await a.SeesAsync("a b");
    }

    [SkippableFact]
    public async Task A_broker_that_drains_before_it_joined_joins_draining()
    {
        await using var a = await JoinAsync("a");
        await using var b = await CreateAsync(TestMembers.Broker("b"));
        b.SetDraining(true);
        await b.JoinedAsync();
        await a.SeesAsync("a b!");
    }

    [SkippableFact]
    public async Task A_crashed_broker_becomes_suspect_and_is_then_dropped()
    {
        await using var a = await JoinAsync("a");
        var b = await JoinAsync("b");
        await a.SeesAsync("a b");
        await b.DisposeAsync();
        await a.SeesAsync("a b?");
        await a.SeesAsync("a");
    }

    [SkippableFact]
    public async Task The_id_of_a_live_broker_is_refused()
    {
        await using var first = await JoinAsync("a");
        await using var second = await CreateAsync(TestMembers.Broker("a") with { ExternalGrpc = "other:1", ExternalTcp = "other:2", ExternalDial = "other:3" });
        var refused = await Assert.ThrowsAsync<MembershipRefusedException>(() => second.JoinedAsync());
        Assert.Contains("broker id a ", refused.Message);
        Assert.Contains(first.Members[0].ExternalDial, refused.Message);
        Assert.Empty(second.Members);
        await first.SeesAsync("a");
        Assert.False(first.Superseded.IsCancellationRequested);
    }

    [SkippableTheory]
    [InlineData("grpc")]
    [InlineData("tcp")]
    [InlineData("dial")]
    [InlineData("swapped")]
    public async Task An_external_address_of_a_live_broker_is_refused(string which)
    {
        await using var first = await JoinAsync("a");
        var (theirs, own) = (TestMembers.Broker("a"), TestMembers.Broker("b"));
        await using var second = await CreateAsync(which switch
        {
            "grpc" => own with { ExternalGrpc = theirs.ExternalGrpc.ToUpperInvariant() },
            "tcp" => own with { ExternalTcp = theirs.ExternalTcp },
            "dial" => own with { ExternalDial = theirs.ExternalDial },
            _ => own with { ExternalDial = theirs.ExternalTcp },
        });
        var refused = await Assert.ThrowsAsync<MembershipRefusedException>(() => second.JoinedAsync());
        Assert.Contains("external address", refused.Message);
        Assert.Contains("a (grpc a.test:50051, tcp a.test:8000, dial a.test:8010", refused.Message);
    }

    [SkippableFact]
    public async Task A_broker_that_left_makes_room_at_once()
    {
        await using var first = await JoinAsync("a");
        var before = first.Members[0].Incarnation;
        await first.LeaveAsync(CancellationToken.None).WaitAsync(Patience.Long);
        await using var second = await JoinAsync("a");
        Assert.True(second.Members[0].Incarnation > before);
    }

    [SkippableFact]
    public async Task A_broker_that_crashed_comes_back_with_a_higher_incarnation()
    {
        await using var other = await JoinAsync("b");
        var first = await JoinAsync("a");
        var before = first.Find("a")!.Incarnation;
        await first.DisposeAsync();
        await using var second = await JoinAsync("a");
        Assert.True(second.Find("a")!.Incarnation > before);
        await Patience.UntilAsync(() => other.Find("a") == second.Find("a"), "the new incarnation at the other broker");
    }

    [SkippableFact]
    public async Task A_broker_takes_the_addresses_of_one_that_crashed()
    {
        var first = await JoinAsync("a");
        await first.DisposeAsync();
        await using var second = await CreateAsync(TestMembers.Broker("a") with { Id = "b" });
        await second.JoinedAsync();
        await second.SeesAsync("b");
    }

    [SkippableFact]
    public async Task Of_brokers_that_join_at_once_with_one_id_one_is_a_member()
    {
        var brokers = await Task.WhenAll(Enumerable.Range(0, 5).Select(async i =>
        {
            var membership = await CreateAsync(TestMembers.Broker("a") with { Zone = $"{i}" });
            var failure = await Record.ExceptionAsync(() => membership.JoinedAsync());
            return (Membership: membership, Failure: failure);
        }));
        Assert.All(brokers.Where(b => b.Failure is not null), b => Assert.IsType<MembershipRefusedException>(b.Failure));
        Assert.Single(brokers, b => b.Failure is null);
        foreach (var (membership, _) in brokers)
        {
            await membership.DisposeAsync();
        }
    }

    [SkippableFact]
    public async Task A_broker_can_give_up_joining()
    {
        await using var first = await JoinAsync("a");
        await using var second = await CreateAsync(TestMembers.Broker("a"));
        using var cancel = new CancellationTokenSource();
        var join = second.JoinAsync(cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => join.WaitAsync(Patience.Long));
        await second.LeaveAsync(CancellationToken.None).WaitAsync(Patience.Long);
        await first.SeesAsync("a");
    }

    private protected async Task<IClusterMembership> JoinAsync(string id) => await (await CreateAsync(TestMembers.Broker(id))).JoinedAsync();
}
