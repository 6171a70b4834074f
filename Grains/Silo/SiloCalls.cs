using Microsoft.Extensions.DependencyInjection;
using Whip.Grains.Index;

namespace Whip.Grains.Silo;

/// <summary>The calls that go through one silo.</summary>
internal sealed record SiloCalls(SiloAddress Address, IGrainFactory Grains, OwnHoldings Own)
{
    public static SiloCalls Of(IServiceProvider silo) => new(
        silo.GetRequiredService<ILocalSiloDetails>().SiloAddress, silo.GetRequiredService<IGrainFactory>(), silo.GetRequiredService<OwnHoldings>());
}
