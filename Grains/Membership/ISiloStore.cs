namespace Whip.Grains.Membership;

/// <summary>Where the rows of the silos are kept.</summary>
internal interface ISiloStore
{
    /// <summary>What a user would call it, with its address.</summary>
    string Name { get; }

    /// <summary>What one silo reads and writes there.</summary>
    IMembershipTable Open(IServiceProvider silo);

    /// <summary>Whether a read failed because a part of the store is gone, which <see cref="MendAsync"/> makes anew.</summary>
    bool IsGone(Exception error);

    /// <summary>Makes the parts of the store that are missing, and merges the rows that were seen into it, all or nothing.</summary>
    /// <param name="seen">What to merge.</param>
    /// <param name="acceptNewer">Whether to use a store of a newer version as it is, which may well work.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>What was changed of the rows; null if nothing was missing, for example because another silo was faster.</returns>
    /// <exception cref="MembershipRefusedException">The store has a newer version.</exception>
    Task<Mending?> MendAsync(SeenSilos seen, bool acceptNewer, CancellationToken cancellationToken);
}
