using Whip.Registry.Membership;

namespace Whip.Registry.Embedded;

/// <summary>The cluster of one broker.</summary>
internal sealed class EmbeddedMembership(BrokerMember self) : IClusterMembership
{
    private readonly MemberList _members = new();

    public IReadOnlyList<BrokerMember> Members => _members.Current;

    public bool IsCurrent => Members.Count > 0;

    public CancellationToken Superseded => CancellationToken.None;

    public Task JoinAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _members.Update(_ => [self with { Incarnation = 1 }]);
        return Task.CompletedTask;
    }

    public void SetDraining(bool isDraining) => _members.SetDraining(self.Id, isDraining);

    public Task WaitForChangeAsync(IReadOnlyList<BrokerMember> seen, CancellationToken cancellationToken) =>
        _members.WaitForChangeAsync(seen, cancellationToken);

    public Task LeaveAsync(CancellationToken cancellationToken)
    {
        _members.Update(_ => []);
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
