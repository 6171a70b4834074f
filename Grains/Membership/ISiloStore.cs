using System.Data.Common;

namespace Whip.Grains.Membership;

/// <summary>Where the rows of the silos are kept.</summary>
internal interface ISiloStore
{
    /// <summary>For messages, with the address.</summary>
    string Name { get; }

    IMembershipTable Open(IServiceProvider silo);

    /// <summary>Whether a read failed because a part of the store is missing, which <see cref="MendAsync"/> restores.</summary>
    bool IsGone(Exception error);

    /// <summary>What to try after this error, as the end of a sentence; empty if nothing is known.</summary>
    string Hint(DbException error) => "";

    /// <summary>Creates the missing parts of the store and merges the seen rows into it, all or nothing. A newer store may be used as it is.</summary>
    /// <returns>The changes to rows; null if nothing was missing, for example because another silo was faster.</returns>
    /// <exception cref="MembershipRefusedException">The store has a newer version.</exception>
    Task<Mending?> MendAsync(SeenSilos seen, bool acceptNewer, CancellationToken cancellationToken);
}

/// <summary>This broker cannot be a silo with its options; the message is one line that says why and what to change.</summary>
internal sealed class MembershipRefusedException(string message) : Exception(message)
{
    /// <summary>With another broker; null if the store is at fault.</summary>
    public Conflict? Conflict { get; init; }
}
