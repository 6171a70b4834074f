using Whip.Registry.Membership;

namespace Whip.Tests.Broker.Peers;

/// <summary>The members a test tells.</summary>
internal sealed class FakeMembership : IClusterMembership
{
    private readonly MemberList _members = new();

    public IReadOnlyList<BrokerMember> Members => _members.Current;

    public bool IsCurrent => true;

    public CancellationToken Superseded => CancellationToken.None;

    public void Set(params IEnumerable<BrokerMember> members) => _members.Update(_ => members);

    public Task JoinAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void SetDraining(bool isDraining)
    {
    }

    public Task WaitForChangeAsync(IReadOnlyList<BrokerMember> seen, CancellationToken cancellationToken) =>
        _members.WaitForChangeAsync(seen, cancellationToken);

    public Task LeaveAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
