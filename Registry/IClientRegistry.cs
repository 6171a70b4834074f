namespace Whip.Registry;

/// <summary>
/// Who holds which stream, cluster-wide. The holder is the only authority on a stream; everything else here is soft state that may be
/// stale: a found route may fail, and the dial then asks again with that route among the tried ones.
/// </summary>
internal interface IClientRegistry : IAsyncDisposable
{
    /// <summary>A stream stands at this broker. Returns the streams of this broker that it fences; the broker ends them.</summary>
    IReadOnlyList<StreamRoute> Attach(StreamRoute route);

    /// <summary>The stream has ended. Only this stream id is removed; unknown ids are ignored.</summary>
    void Detach(StreamRoute route);

    /// <summary>
    /// Chooses where a dial goes next: of an instance its newest stream here, else another broker that holds one; of a domain one
    /// of its instances that publish the port, or the broker that will choose it, by the cluster's balance.
    /// </summary>
    ValueTask<Resolution> ResolveAsync(ResolveRequest request, CancellationToken cancellationToken);

    /// <summary>Another broker turned out not to hold the name, or not to answer: it is not offered from memory again.</summary>
    void Forget(ResolveRequest request, string brokerId);

    /// <summary>Watches for a registration, anywhere, that could make the name resolve; null when too many dials wait for it here.</summary>
    IRouteWatch? Watch(string name);
}

/// <summary>One waiting dial. Disposing it gives its place back.</summary>
internal interface IRouteWatch : IDisposable
{
    /// <summary>Completes when the name, or an instance of the domain of that name, was registered after the watch began, or is live elsewhere.</summary>
    Task Woken { get; }
}
