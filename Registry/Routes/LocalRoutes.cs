using Whip.Protocol.Names;
using Whip.Registry.Holders;

namespace Whip.Registry.Routes;

/// <summary>
/// The streams of this broker by name and by domain, and the dials that wait for one. It is the whole registry of a broker that is alone, and what the
/// brokers of a cluster answer each other from. Owner of the table: the lock, held for a lookup or an update and never longer.
/// </summary>
internal sealed class LocalRoutes(int maxWatchesPerName, BalancePolicy balance = BalancePolicy.Random) : IClientRegistry
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Instance> _instances = [];
    private readonly Dictionary<string, Domain> _domains = [];
    private readonly RouteWatches _watches = new(maxWatchesPerName);

    /// <summary>The streams of this name have changed. Raised after the table has the change, by whoever made it.</summary>
    public event Action<InstanceName>? Changed;

    public BalancePolicy Balance => balance;

    /// <summary>The relays of this broker.</summary>
    public RelayLoads Loads { get; } = new();

    /// <summary>Of registered instances.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _instances.Count;
            }
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<StreamRoute> Attach(StreamRoute route)
    {
        var fenced = Add(route);
        Wake(route.Name.FullName);
        Wake(route.Name.Domain);
        Changed?.Invoke(route.Name);
        return fenced;
    }

    /// <inheritdoc/>
    public void Update(StreamRoute route)
    {
        if (Replace(route))
        {
            Changed?.Invoke(route.Name);
        }
    }

    /// <inheritdoc/>
    public void Detach(StreamRoute route)
    {
        if (Remove(route))
        {
            Changed?.Invoke(route.Name);
        }
    }

    public ValueTask<Resolution> ResolveAsync(ResolveRequest request, CancellationToken cancellationToken) => new(Resolve(request));

    public void Forget(ResolveRequest request, string brokerId)
    {
        // No other broker is remembered here.
    }

    /// <summary>Watches for a stream of this broker; null when too many dials wait for the name.</summary>
    public IRouteWatch? Watch(string name) => _watches.Add(name);

    /// <summary>Wakes the dials that wait here for an instance or a domain of this name.</summary>
    public void Wake(string name) => _watches.Wake(name);

    /// <summary>Chooses among the streams of this broker alone.</summary>
    public Resolution Resolve(ResolveRequest request)
    {
        lock (_lock)
        {
            var domain = _domains.GetValueOrDefault(request.Target.Name);
            return _instances.TryGetValue(request.Target.Name, out var instance)
                ? StreamChoice.Choose(instance, request) with { IsAmbiguous = domain is not null }
                : domain is not null ? StreamChoice.Choose(domain, request, balance, Loads)
                : new Resolution(KnowsParent(request.Target.Name) ? ResolveStatus.NoSuchHost : ResolveStatus.NoSuchDomain);
        }
    }

    public IReadOnlyList<StreamRoute> Named(InstanceName name)
    {
        lock (_lock)
        {
            return _instances.TryGetValue(name.FullName, out var instance) ? [.. instance.Streams] : [];
        }
    }

    public IReadOnlyList<InstanceName> Instances()
    {
        lock (_lock)
        {
            return [.. _instances.Values.Select(instance => instance.Name)];
        }
    }

    public bool HoldsDomain(string name)
    {
        lock (_lock)
        {
            return _domains.ContainsKey(name);
        }
    }

    /// <summary>The answer to a question of another broker.</summary>
    public NameReport Report(NameQuery query)
    {
        lock (_lock)
        {
            var instance = _instances.GetValueOrDefault(query.Name);
            var domain = _domains.GetValueOrDefault(query.Name);
            var knowsParent = KnowsParent(query.Name);
            return instance is null && domain is null && !knowsParent ? NameReport.Nothing : new NameReport
            {
                IsInstance = instance is not null,
                Publishes = instance?.Publishes(query.Port) == true,
                IsDomain = domain is not null,
                Instances = domain?.Serving(query.Port) ?? 0,
                InstancesInZone = query.Zone.Length > 0 ? domain?.Serving(query.Port, query.Zone) ?? 0 : 0,
                FailingInstances = domain?.Failing(query.Port) ?? 0,
                Failing = Failing(instance, domain, query.Port),
                Relays = domain is null ? 0 : Loads.Of(query.Name),
                KnowsParent = knowsParent,
            };
        }
    }

    /// <summary>Adds a stream, newest first, and returns those that it fences, which are removed.</summary>
    private List<StreamRoute> Add(StreamRoute route)
    {
        lock (_lock)
        {
            var domain = GetOrAddDomain(route.Name.Domain);
            if (!_instances.TryGetValue(route.Name.FullName, out var instance))
            {
                _instances[route.Name.FullName] = instance = new Instance(route.Name);
                domain.Add(instance);
            }

            domain.Count(instance, -1);
            var fenced = instance.Streams.Where(route.Fences).ToList();
            instance.Streams.RemoveAll(older => older.StreamId == route.StreamId || fenced.Contains(older));
            instance.Streams.Insert(0, route);
            domain.Count(instance, 1);
            return fenced;
        }
    }

    /// <summary>False: there is no stream of this id.</summary>
    private bool Replace(StreamRoute route)
    {
        lock (_lock)
        {
            if (!_instances.TryGetValue(route.Name.FullName, out var instance)
                || instance.Streams.FindIndex(stream => stream.StreamId == route.StreamId) is not (>= 0 and var at))
            {
                return false;
            }

            var domain = _domains[route.Name.Domain];
            domain.Count(instance, -1);
            instance.Streams[at] = route;
            domain.Count(instance, 1);
            return true;
        }
    }

    /// <summary>Removes the stream of this id, and its instance and domain if it was their last. False: there was none.</summary>
    private bool Remove(StreamRoute route)
    {
        lock (_lock)
        {
            if (!_instances.TryGetValue(route.Name.FullName, out var instance))
            {
                return false;
            }

            var domain = _domains[route.Name.Domain];
            domain.Count(instance, -1);
            var removed = instance.Streams.RemoveAll(stream => stream.StreamId == route.StreamId);
            domain.Count(instance, 1);
            if (instance.Streams.Count == 0)
            {
                _instances.Remove(route.Name.FullName);
                domain.Remove(instance);
                if (domain.Members.Count == 0)
                {
                    _domains.Remove(route.Name.Domain);
                }
            }

            return removed > 0;
        }
    }

    private static IReadOnlyList<FailingInstance> Failing(Instance? instance, Domain? domain, int port) =>
        instance is not null ? instance.Failing(port) is { } failing ? [failing] : []
        : domain?.Serving(port) == 0 ? domain.FirstFailing(port)
        : [];

    private bool KnowsParent(string name)
    {
        var dot = name.IndexOf('.');
        return dot >= 0 && _domains.ContainsKey(name[(dot + 1)..]);
    }

    private Domain GetOrAddDomain(string name)
    {
        if (!_domains.TryGetValue(name, out var domain))
        {
            _domains[name] = domain = new Domain();
        }

        return domain;
    }
}
