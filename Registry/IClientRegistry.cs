namespace Whip.Registry;

/// <summary>
/// Who holds which stream, cluster-wide. The holder is the only authority on a stream; all else here is soft state that may be
/// stale: a found route may fail, and the dial then asks again with that route among the tried ones.
/// </summary>
internal interface IClientRegistry : IAsyncDisposable
{
    /// <summary>A stream stands at this broker. Returns the streams of this broker that it fences; the broker ends them.</summary>
    ValueTask<IReadOnlyList<StreamRoute>> AnnounceAsync(StreamRoute route, CancellationToken cancellationToken);

    /// <summary>The stream has ended. Only this stream id is removed; unknown ids are ignored.</summary>
    ValueTask WithdrawAsync(StreamRoute route, CancellationToken cancellationToken);

    /// <summary>
    /// Chooses the next stream for a dial: of the instance the newest first; of the domain one of its instances that publish
    /// the port, each with the same probability however many streams it has.
    /// </summary>
    ValueTask<Resolution> ResolveAsync(ResolveRequest request, CancellationToken cancellationToken);

    /// <summary>Watches for a registration that could make the name resolve; null when too many dials wait for this name.</summary>
    IRouteWatch? Watch(string name);
}
