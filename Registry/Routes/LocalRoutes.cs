using Whip.Protocol.Names;
using Whip.Registry.Peers;

namespace Whip.Registry.Routes;

/// <summary>The streams of this broker and who waits for one: the part that every engine shares, and what peers are answered from.</summary>
internal sealed class LocalRoutes
{
    private readonly RouteTable _table;
    private readonly RouteWatches _watches;

    public LocalRoutes(int maxWatchesPerName, BalancePolicy balance = BalancePolicy.Random)
    {
        _table = new RouteTable(balance, Loads);
        _watches = new RouteWatches(maxWatchesPerName);
        Balance = balance;
    }

    public BalancePolicy Balance { get; }

    /// <summary>The relays of this broker.</summary>
    public RelayLoads Loads { get; } = new();

    /// <summary>Live instances.</summary>
    public int Count => _table.Count;

    /// <summary>Adds a stream and wakes who waits for it. Returns the streams it fences, which are removed.</summary>
    public IReadOnlyList<StreamRoute> Add(StreamRoute route)
    {
        var fenced = _table.Add(route);
        _watches.Announce(route);
        return fenced;
    }

    public void Remove(StreamRoute route) => _table.Remove(route);

    /// <summary>The streams of one name.</summary>
    public IReadOnlyList<StreamRoute> Named(InstanceName name) => _table.Named(name);

    /// <summary>The full names of all live instances.</summary>
    public IReadOnlyList<string> Instances() => _table.Instances();

    /// <summary>The names of all domains that have an instance here.</summary>
    public IReadOnlyList<string> Domains() => _table.Domains();

    public bool HoldsDomain(string name) => _table.HoldsDomain(name);

    /// <summary>Chooses among the streams of this broker alone.</summary>
    public Resolution Resolve(ResolveRequest request) => _table.Resolve(request);

    public NameReport Report(NameQuery query) => _table.Report(query);

    /// <summary>Watches for a stream of this broker; null when too many wait for the name.</summary>
    public IRouteWatch? Watch(string name) => _watches.Add(name);
}
