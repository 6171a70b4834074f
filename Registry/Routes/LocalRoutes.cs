using Whip.Protocol.Names;
using Whip.Registry.Holders;

namespace Whip.Registry.Routes;

/// <summary>The streams of this broker and who waits for one: the part that every engine shares, and what other brokers are answered from.</summary>
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

    /// <summary>The streams of this name are others now. Raised after the table has them, by whoever changed it.</summary>
    public event Action<InstanceName>? Changed;

    public BalancePolicy Balance { get; }

    /// <summary>The relays of this broker.</summary>
    public RelayLoads Loads { get; } = new();

    /// <summary>Live instances.</summary>
    public int Count => _table.Count;

    /// <summary>Adds a stream and wakes who waits for it. Returns the streams it fences, which are removed.</summary>
    public IReadOnlyList<StreamRoute> Add(StreamRoute route)
    {
        var fenced = _table.Add(route);
        Wake(route.Name.FullName);
        Wake(route.Name.Domain);
        Changed?.Invoke(route.Name);
        return fenced;
    }

    public void Remove(StreamRoute route)
    {
        if (_table.Remove(route))
        {
            Changed?.Invoke(route.Name);
        }
    }

    /// <summary>Wakes the dials that wait here for an instance or a domain of this name.</summary>
    public void Wake(string name) => _watches.Wake(name);

    /// <summary>The streams of one name.</summary>
    public IReadOnlyList<StreamRoute> Named(InstanceName name) => _table.Named(name);

    /// <summary>The live instances.</summary>
    public IReadOnlyList<InstanceName> Instances() => _table.Instances();

    public bool HoldsDomain(string name) => _table.HoldsDomain(name);

    /// <summary>Chooses among the streams of this broker alone.</summary>
    public Resolution Resolve(ResolveRequest request) => _table.Resolve(request);

    public NameReport Report(NameQuery query) => _table.Report(query);

    /// <summary>Watches for a stream of this broker; null when too many wait for the name.</summary>
    public IRouteWatch? Watch(string name) => _watches.Add(name);
}
