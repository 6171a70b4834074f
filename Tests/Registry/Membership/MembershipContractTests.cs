using Whip.Registry.Membership;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Registry.Membership;

/// <summary>What every membership must do, that of a single broker too; an engine's tests derive from it.</summary>
public abstract class MembershipContractTests
{
    private protected abstract Task<IClusterMembership> CreateAsync(BrokerMember self);

    [SkippableFact]
    public async Task A_broker_is_a_member_from_joining_to_leaving()
    {
        await using var membership = await CreateAsync(TestMembers.Broker("a"));
        Assert.Empty(membership.Members);
        Assert.False(membership.IsCurrent);

        await membership.JoinedAsync();
        var self = Assert.Single(membership.Members);
        Assert.Equal(TestMembers.Broker("a") with { Incarnation = self.Incarnation }, self);
        Assert.True(self.Incarnation > 0);
        Assert.True(membership.IsCurrent);
        Assert.False(membership.Superseded.IsCancellationRequested);

        await membership.LeaveAsync(CancellationToken.None).WaitAsync(Patience.Long);
        Assert.Empty(membership.Members);
        Assert.False(membership.IsCurrent);
        Assert.False(membership.Superseded.IsCancellationRequested);
    }

    [SkippableFact]
    public async Task A_change_is_announced_and_no_change_is_not()
    {
        await using var membership = await CreateAsync(TestMembers.Broker("a"));
        await membership.JoinedAsync();
        var before = membership.Members;
        var change = membership.WaitForChangeAsync(before, CancellationToken.None);
        membership.SetDraining(false);
        Assert.Same(before, membership.Members);
        Assert.False(change.IsCompleted);

        membership.SetDraining(true);
        await change.WaitAsync(Patience.Long);
        Assert.True(Assert.Single(membership.Members).IsDraining);
        await membership.WaitForChangeAsync(before, CancellationToken.None).WaitAsync(Patience.Long);

        membership.SetDraining(false);
        await membership.SeesAsync("a");
    }

    [SkippableFact]
    public async Task A_wait_for_a_change_can_be_cancelled()
    {
        await using var membership = await CreateAsync(TestMembers.Broker("a"));
        await membership.JoinedAsync();
        using var cancel = new CancellationTokenSource();
        var change = membership.WaitForChangeAsync(membership.Members, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => change.WaitAsync(Patience.Long));
    }

    [SkippableFact]
    public async Task A_membership_that_never_joined_ends_too()
    {
        var membership = await CreateAsync(TestMembers.Broker("a"));
        await membership.LeaveAsync(CancellationToken.None).WaitAsync(Patience.Long);
        await membership.DisposeAsync().AsTask().WaitAsync(Patience.Long);
    }
}
