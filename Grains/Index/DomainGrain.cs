using Orleans.Placement;

namespace Whip.Grains.Index;

[PreferLocalPlacement]
[GrainType("domain")]
internal sealed class DomainGrain(ISiloStatusOracle silos, BrokerSilos brokers, [FromKeyedServices(HoldingGrain.Clock)] TimeProvider time)
    : HoldingGrain(silos, brokers, time), IDomainGrain
{
    protected override bool IsHeld(Located located) => located.IsDomain;

    protected override IReadOnlyList<Holding>? Answer(IReadOnlyList<Holding> held) => IsWhole ? held : null;
}
