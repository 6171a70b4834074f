namespace Whip.Registry.Holders;

/// <summary>The other brokers of the cluster, as far as this one can ask them, and the grains that know which of them to ask.</summary>
internal interface IOtherBrokers
{
    /// <summary>Every other broker, including those that cannot be asked. Replaced, never altered.</summary>
    IReadOnlyList<OtherBroker> All { get; }

    /// <summary>Whether this broker can ask the others; waits for its silo if it has none.</summary>
    Task<bool> CanAskAsync(TimeSpan timeout, CancellationToken cancellationToken);

    /// <summary>Asks one broker what it holds under a name. Null: it cannot be asked, or did not answer in time.</summary>
    Task<NameReport?> LocateAsync(string brokerId, NameQuery query, CancellationToken cancellationToken);

    /// <summary>The holders of the instance or domain of this name, as the grains have them; this may be stale. Null: they do not know.</summary>
    Task<KnownHolders?> FindAsync(string name, CancellationToken cancellationToken);

    /// <summary>Whether no other broker can hold a name, if these have just answered that they do not.</summary>
    bool AreAll(IReadOnlyCollection<string> answered);

    /// <summary>Asks the grains of this name to wake the dials that wait for it here, if it is registered within the next seconds.</summary>
    void LeaveWord(string name);
}

/// <summary>One other broker. A suspect one is asked without waiting for its answer, and tried last.</summary>
internal readonly record struct OtherBroker(string Id, bool IsSuspect);

/// <summary>The holders of a name as the grains have them: whether this broker is one, and the ids of the others.</summary>
internal sealed record KnownHolders(bool IsHere, IReadOnlyCollection<string> Others);
