using Orleans.Placement;

namespace Whip.Grains.Index;

/// <summary>Placed where the client registered first, because its next changes will come from there.</summary>
[PreferLocalPlacement]
[GrainType("client")]
internal sealed class ClientGrain(ISiloStatusOracle silos, BrokerSilos brokers, [FromKeyedServices(HoldingGrain.Clock)] TimeProvider time)
    : HoldingGrain(silos, brokers, time), IClientGrain
{
    protected override bool IsHeld(Located located) => located.Streams.Count > 0;

    protected override IReadOnlyList<Holding>? Answer(IReadOnlyList<Holding> held) => held;
}
