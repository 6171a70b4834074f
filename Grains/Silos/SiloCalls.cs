namespace Whip.Grains.Silos;

/// <summary>What calls through one silo need.</summary>
internal sealed record SiloCalls(SiloAddress Address, IGrainFactory Grains, BrokerSilos Brokers, OwnHoldings Own)
{
    public static SiloCalls Of(IServiceProvider silo) => new(
        silo.GetRequiredService<ILocalSiloDetails>().SiloAddress,
        silo.GetRequiredService<IGrainFactory>(),
        silo.GetRequiredService<BrokerSilos>(),
        silo.GetRequiredService<OwnHoldings>());
}
