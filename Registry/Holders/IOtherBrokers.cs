namespace Whip.Registry.Holders;

/// <summary>The other brokers of the cluster, as far as this one can ask them, and the grains that know which of them to ask.</summary>
internal interface IOtherBrokers
{
    /// <summary>Every other broker, those that cannot be asked included. Replaced when something in it changed, never altered.</summary>
    IReadOnlyList<OtherBroker> All { get; }

    /// <summary>Whether this broker can ask anybody; if not, waits until it can, within these bounds.</summary>
    Task<bool> CanAskAsync(TimeSpan patience, CancellationToken cancellationToken);

    /// <summary>Asks one broker what it holds under a name. Null: it cannot be asked, or did not answer in time.</summary>
    Task<NameReport?> LocateAsync(string brokerId, NameQuery query, CancellationToken cancellationToken);

    /// <summary>
    /// Whom the grains name as holders of the instance or the domain of this name; they may be stale either way. Null: they could
    /// not tell.
    /// </summary>
    Task<KnownHolders?> FindAsync(string name, CancellationToken cancellationToken);

    /// <summary>Whether a name that these brokers do not hold, and that they were asked for just now, is held by nobody.</summary>
    bool AreAll(IReadOnlyCollection<string> answered);

    /// <summary>Leaves word with the grains of this name: whoever registers it within the next seconds is told to this broker's table.</summary>
    void LeaveWord(string name);
}

/// <summary>One other broker at one moment. A suspect one is asked, but not waited for, and tried last.</summary>
internal readonly record struct OtherBroker(string Id, bool IsSuspect);

/// <summary>Who holds a name, as the grains have it.</summary>
/// <param name="IsHere">This broker does.</param>
/// <param name="Others">The ids of the other brokers that do.</param>
internal sealed record KnownHolders(bool IsHere, IReadOnlyCollection<string> Others);
