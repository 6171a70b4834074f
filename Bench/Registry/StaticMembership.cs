using Whip.Registry.Membership;

namespace Whip.Bench.Registry;

/// <summary>Members that do not change, for links without a database.</summary>
internal sealed class StaticMembership(IReadOnlyList<BrokerMember> members) : IClusterMembership
{
    public IReadOnlyList<BrokerMember> Members => members;

    public bool IsCurrent => true;

    public CancellationToken Superseded => CancellationToken.None;

    public Task JoinAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void SetDraining(bool isDraining)
    {
    }

    public Task WaitForChangeAsync(IReadOnlyList<BrokerMember> seen, CancellationToken cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken);

    public Task LeaveAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
