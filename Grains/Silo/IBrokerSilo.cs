using Orleans.Services;
using Whip.Grains.Index;

namespace Whip.Grains.Silo;

/// <summary>What one silo answers about its own broker; addressed by the silo, never through the directory.</summary>
[Alias("whip.broker-silo")]
internal interface IBrokerSilo : IGrainService
{
    /// <summary>What it holds of the client of this full name now.</summary>
    [Alias("client")]
    Task<ClientHolding> ClientAsync(string name, CancellationToken cancellationToken);

    /// <summary>Whether it holds instances of this domain now.</summary>
    [Alias("domain")]
    Task<DomainHolding> DomainAsync(string name, CancellationToken cancellationToken);

    /// <summary>Whether the silo is alive in its view of the cluster.</summary>
    [Alias("lists")]
    Task<bool> ListsAsync(SiloAddress silo, CancellationToken cancellationToken);
}
