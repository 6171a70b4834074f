using Orleans.Concurrency;

namespace Whip.Grains.Index;

/// <summary>One domain: which silos hold instances of it. How many, and how loaded, the silos themselves are asked.</summary>
[Alias("whip.domain")]
internal interface IDomainGrain : IGrainWithStringKey
{
    /// <summary>Whether one silo holds instances; what is older than what is known is ignored.</summary>
    [Alias("announce")]
    [AlwaysInterleave]
    Task AnnounceAsync(DomainHolding holding, CancellationToken cancellationToken);

    /// <summary>
    /// The silos that hold an instance and live: all of them, or null as long as a silo has not answered, for a dial must have the same
    /// chance at every instance.
    /// </summary>
    [Alias("find")]
    [AlwaysInterleave]
    Task<IReadOnlyList<DomainHolding>?> FindAsync(CancellationToken cancellationToken);
}
