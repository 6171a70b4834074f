using Orleans.Placement;
using Whip.Grains.Silo;

namespace Whip.Grains.Index;

/// <summary>Placed where the client registered first, which is where its next announcements come from.</summary>
[PreferLocalPlacement]
[GrainType("client")]
internal sealed class ClientGrain(ISiloStatusOracle silos, BrokerSilos brokers) : HoldingGrain<ClientHolding>(silos, brokers), IClientGrain
{
    public async Task<IReadOnlyList<ClientHolding>> FindAsync(CancellationToken cancellationToken)
    {
        if (Known() is { Count: > 0 } known)
        {
            return known;
        }

        await AskAllAsync().WaitAsync(cancellationToken);
        return Known();
    }

    protected override Task<ClientHolding> AskAsync(IBrokerSilo silo, CancellationToken cancellationToken) =>
        silo.ClientAsync(this.GetPrimaryKeyString(), cancellationToken);
}
