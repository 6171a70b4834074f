using Orleans.Placement;
using Whip.Grains.Silo;

namespace Whip.Grains.Index;

[PreferLocalPlacement]
[GrainType("domain")]
internal sealed class DomainGrain(ISiloStatusOracle silos, BrokerSilos brokers) : HoldingGrain<DomainHolding>(silos, brokers), IDomainGrain
{
    public async Task<IReadOnlyList<DomainHolding>?> FindAsync(CancellationToken cancellationToken)
    {
        if (!IsWhole)
        {
            // Who knows a part does not wait for the rest: the caller asks the brokers sooner.
            var asking = AskAllAsync();
            if (Known().Count == 0)
            {
                await asking.WaitAsync(cancellationToken);
            }
        }

        return IsWhole ? Known() : null;
    }

    protected override Task<DomainHolding> AskAsync(IBrokerSilo silo, CancellationToken cancellationToken) =>
        silo.DomainAsync(this.GetPrimaryKeyString(), cancellationToken);
}
