using Orleans.Concurrency;

namespace Whip.Grains.Index;

/// <summary>
/// Which silos hold one name. This is soft state; the silos are the authority. They push changes, and a grain asks them after its activation and
/// when the set of silos has changed.
/// </summary>
[Alias("whip.holding-grain")]
internal interface IHoldingGrain : IGrainWithStringKey
{
    /// <summary>Takes what one silo holds, unless a newer version is known.</summary>
    [Alias("update")]
    [AlwaysInterleave]
    Task UpdateAsync(Holding holding);

    /// <summary>The live silos that hold the name. Null: not known.</summary>
    [Alias("find")]
    [AlwaysInterleave]
    Task<IReadOnlyList<Holding>?> FindAsync();

    /// <summary>A dial waits for the name at this silo, which is notified when the name is registered within 5 s. Keeps no grain active.</summary>
    [Alias("word")]
    [AlwaysInterleave]
    [OneWay]
    Task LeaveWordAsync(SiloAddress silo);
}

/// <summary>One registered client, by its full name: the silos that hold live control streams of it.</summary>
[Alias("whip.client")]
internal interface IClientGrain : IHoldingGrain;

/// <summary>
/// One domain: the silos that hold instances of it, all of them or none, because every instance must be equally likely. How many each has, and how
/// loaded they are, the silos themselves are asked.
/// </summary>
[Alias("whip.domain")]
internal interface IDomainGrain : IHoldingGrain;
