using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Whip.Grains.Index;

namespace Whip.Grains.Silo;

/// <summary>Answers from the table of the broker that this silo is.</summary>
[Reentrant]
internal sealed class BrokerSilo(GrainId grainId, Orleans.Runtime.Silo silo, ILoggerFactory loggers, OwnHoldings own, IClusterMembershipService membership)
    : GrainService(grainId, silo, loggers), IBrokerSilo
{
    public Task<ClientHolding> ClientAsync(string name, CancellationToken cancellationToken) => Task.FromResult(own.Client(name));

    public Task<DomainHolding> DomainAsync(string name, CancellationToken cancellationToken) => Task.FromResult(own.Domain(name));

    public Task<bool> ListsAsync(SiloAddress silo, CancellationToken cancellationToken) =>
        Task.FromResult(membership.CurrentSnapshot.Members.TryGetValue(silo, out var member) && member.Status != SiloStatus.Dead);
}
