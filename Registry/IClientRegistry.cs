namespace Whip.Registry;

/// <summary>
/// Which broker holds which stream, in the whole cluster. The holder is the only authority on a stream; everything else is soft state, so that a route
/// may fail. The dial then resolves the name again, with that route among the tried ones.
/// </summary>
internal interface IClientRegistry
{
    /// <summary>Adds a stream of this broker. Returns the streams that it replaces, which the broker ends.</summary>
    IReadOnlyList<StreamRoute> Attach(StreamRoute route);

    /// <summary>Replaces a stream by what is known of it now; one that is not there any more is ignored.</summary>
    void Update(StreamRoute route);

    /// <summary>Removes a stream by its id; an unknown id is ignored.</summary>
    void Detach(StreamRoute route);

    /// <summary>
    /// Chooses where a dial goes next. For an instance it is its newest stream here, or another broker that holds one; for a domain it is one of the
    /// instances that publish the port, or the broker that will choose it, by the balance of the cluster.
    /// </summary>
    ValueTask<Resolution> ResolveAsync(ResolveRequest request, CancellationToken cancellationToken);

    /// <summary>Forgets that another broker holds the name, because it does not, or does not answer.</summary>
    void Forget(ResolveRequest request, string brokerId);

    /// <summary>Waits for a registration in the cluster after which the name may resolve; null if too many dials wait for it here.</summary>
    IRouteWatch? Watch(string name);
}

/// <summary>One waiting dial, until it is disposed.</summary>
internal interface IRouteWatch : IDisposable
{
    /// <summary>Completes when the name, or an instance of that domain, has been registered since the watch began, or is held elsewhere.</summary>
    Task Woken { get; }
}
