using Orleans.Placement;
using Whip.Grains.Silo;

namespace Whip.Grains.Index;

[PreferLocalPlacement]
[GrainType("domain")]
internal sealed class DomainGrain(ISiloStatusOracle silos, BrokerSilos brokers) : HoldingGrain<DomainHolding>(silos, brokers), IDomainGrain
{
    protected override Task<DomainHolding> AskAsync(IBrokerSilo silo, CancellationToken cancellationToken) =>
        silo.DomainAsync(this.GetPrimaryKeyString(), cancellationToken);
}
