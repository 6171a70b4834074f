namespace Whip.Registry.Membership;

/// <summary>Which brokers are in the cluster, as this one knows it. A broker joins once and leaves once.</summary>
internal interface IClusterMembership : IAsyncDisposable
{
    /// <summary>
    /// The brokers of the cluster ordered by id, this one always among them and never suspect; empty until joined and after leaving. The list
    /// is replaced, never altered, and only when something in it changed.
    /// </summary>
    IReadOnlyList<BrokerMember> Members { get; }

    /// <summary>Whether the list is up to date. If not, it is frozen: the last one known, still the best there is.</summary>
    bool IsCurrent { get; }

    /// <summary>Fires when another process has taken this broker's id or addresses. This one is no member any more and should stop.</summary>
    CancellationToken Superseded { get; }

    /// <summary>Waits, however long, until the cluster's store can be reached and has this broker, and <see cref="Members"/> is filled.</summary>
    /// <exception cref="MembershipRefusedException">The store was reached and this broker cannot be a member of it.</exception>
    Task JoinAsync(CancellationToken cancellationToken);

    /// <summary>Tells the others whether this broker is about to leave: at once if the store can be reached, else when it can.</summary>
    void SetDraining(bool isDraining);

    /// <summary>Completes when <see cref="Members"/> is another list than <paramref name="seen"/>.</summary>
    Task WaitForChangeAsync(IReadOnlyList<BrokerMember> seen, CancellationToken cancellationToken);

    /// <summary>Takes this broker out of the list of the others. Disposing without it is what a crash looks like to them.</summary>
    Task LeaveAsync(CancellationToken cancellationToken);
}
