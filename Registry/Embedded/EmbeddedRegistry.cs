using Whip.Registry.Routes;

namespace Whip.Registry.Embedded;

/// <summary>The engine of one process: every stream is at this broker, and every answer is current.</summary>
internal sealed class EmbeddedRegistry(int maxWatchesPerName) : IClientRegistry
{
    private readonly RouteTable _table = new();
    private readonly RouteWatches _watches = new(maxWatchesPerName);

    public ValueTask<IReadOnlyList<StreamRoute>> AnnounceAsync(StreamRoute route, CancellationToken cancellationToken)
    {
        var fenced = _table.Add(route);
        _watches.Announce(route);
        return new(fenced);
    }

    public ValueTask WithdrawAsync(StreamRoute route, CancellationToken cancellationToken)
    {
        _table.Remove(route);
        return ValueTask.CompletedTask;
    }

    public ValueTask<Resolution> ResolveAsync(ResolveRequest request, CancellationToken cancellationToken) => new(_table.Resolve(request));

    public IRouteWatch? Watch(string name) => _watches.Add(name);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
