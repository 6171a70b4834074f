using Orleans.Concurrency;

namespace Whip.Grains.Index;

/// <summary>
/// What the cluster knows of one name: which silos hold it. Soft state: the silos are the authority. They push what changes, and are asked by
/// a grain that was made anew, or whose cluster has other silos now.
/// </summary>
[Alias("whip.holding-grain")]
internal interface IHoldingGrain : IGrainWithStringKey
{
    /// <summary>What one silo holds; what is older than what is known is ignored.</summary>
    [Alias("update")]
    [AlwaysInterleave]
    Task UpdateAsync(Holding holding);

    /// <summary>The silos that hold the name and live. Null: it cannot tell.</summary>
    [Alias("find")]
    [AlwaysInterleave]
    Task<IReadOnlyList<Holding>?> FindAsync();

    /// <summary>A dial waits for the name at this silo, which is told when it comes to be held; the word is good for 5 s and keeps no grain alive.</summary>
    [Alias("word")]
    [AlwaysInterleave]
    [OneWay]
    Task LeaveWordAsync(SiloAddress silo);
}

/// <summary>One registered client, by its full name: the silos that hold live control streams of it.</summary>
[Alias("whip.client")]
internal interface IClientGrain : IHoldingGrain;

/// <summary>
/// One domain: the silos that hold instances of it. How many, and how loaded, the silos themselves are asked. It tells all of them or none,
/// for a dial must have the same chance at every instance.
/// </summary>
[Alias("whip.domain")]
internal interface IDomainGrain : IHoldingGrain;
