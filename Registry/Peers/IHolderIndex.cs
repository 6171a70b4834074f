namespace Whip.Registry.Peers;

/// <summary>Soft state of the whole cluster that says whom to ask for a name, so that not every broker has to be.</summary>
internal interface IHolderIndex
{
    /// <summary>
    /// The brokers that hold the instance or the domain of this name, as far as the index knows; it may be stale either way. Null: it
    /// could not answer within its own limit.
    /// </summary>
    Task<KnownHolders?> FindAsync(string name, CancellationToken cancellationToken);
}
