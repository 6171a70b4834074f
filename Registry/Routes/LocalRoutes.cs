using Whip.Registry.Peers;

namespace Whip.Registry.Routes;

/// <summary>The streams of this broker and who waits for one: the part that every engine shares, and what peers are answered from.</summary>
internal sealed class LocalRoutes(int maxWatchesPerName)
{
    private readonly RouteWatches _watches = new(maxWatchesPerName);

    public RouteTable Table { get; } = new();

    /// <summary>Adds a stream and wakes who waits for it. Returns the streams it fences, which are removed.</summary>
    public IReadOnlyList<StreamRoute> Add(StreamRoute route)
    {
        var fenced = Table.Add(route);
        _watches.Announce(route);
        return fenced;
    }

    public void Remove(StreamRoute route) => Table.Remove(route);

    public NameReport Report(NameQuery query) => Table.Report(query);

    /// <summary>Watches for a stream of this broker; null when too many wait for the name.</summary>
    public IRouteWatch? Watch(string name) => _watches.Add(name);
}
