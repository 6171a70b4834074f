namespace Whip.Grains.Membership;

/// <summary>What the other silos know of this one. A silo that was frozen and declared dead meanwhile does not know it itself.</summary>
internal interface ISiloWitness
{
    /// <summary>Whether another silo, asked within the last 1.5 s, has said that this one is active.</summary>
    Task<bool> IsListedAsync(SiloAddress silo, CancellationToken cancellationToken);
}
