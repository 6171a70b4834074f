using Orleans.Concurrency;

namespace Whip.Grains.Index;

/// <summary>
/// One registered client, by its full name: which silos hold live control streams of it. Soft state: the silos are the authority, and
/// say again what they hold.
/// </summary>
[Alias("whip.client")]
internal interface IClientGrain : IGrainWithStringKey
{
    /// <summary>What one silo holds of the client, the whole of it; what is older than what is known is ignored.</summary>
    [Alias("announce")]
    [AlwaysInterleave]
    Task AnnounceAsync(ClientHolding holding, CancellationToken cancellationToken);

    /// <summary>The silos that hold a stream and live. One that knows of none asks every silo first.</summary>
    [Alias("find")]
    [AlwaysInterleave]
    Task<IReadOnlyList<ClientHolding>> FindAsync(CancellationToken cancellationToken);
}
