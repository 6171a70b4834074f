namespace Whip.Registry.Routes;

/// <summary>
/// The instances of one domain in a <see cref="LocalRoutes"/>, guarded by its lock: a dense list, so that a uniform choice costs the same in a domain of
/// any size, and for each published port the number of instances that serve it and those that fail its check, so that other brokers are answered without a
/// scan.
/// </summary>
internal sealed class Domain
{
    // A null zone is for any zone.
    private readonly Dictionary<(int Port, string? Zone), int> _serving = [];

    private readonly Dictionary<int, HashSet<Instance>> _failing = [];

    public List<Instance> Members { get; } = [];

    /// <summary>How many instances publish the port and do not fail its check, in the zone if one is named.</summary>
    public int Serving(int port, string? zone = null) => _serving.GetValueOrDefault((port, zone));

    /// <summary>How many instances publish the port and fail its check.</summary>
    public int Failing(int port) => _failing.GetValueOrDefault(port)?.Count ?? 0;

    /// <summary>A few of those.</summary>
    public IReadOnlyList<FailingInstance> FirstFailing(int port) =>
        [.. (_failing.GetValueOrDefault(port) ?? []).Select(instance => instance.Failing(port)).OfType<FailingInstance>().Take(FailingInstance.Most)];

    public void Add(Instance instance)
    {
        instance.Position = Members.Count;
        Members.Add(instance);
    }

    public void Remove(Instance instance)
    {
        var last = Members[^1];
        Members[instance.Position] = last;
        last.Position = instance.Position;
        Members.RemoveAt(Members.Count - 1);
    }

    /// <summary>Adds what an instance publishes to the numbers, or subtracts it; called before and after its streams change.</summary>
    public void Count(Instance instance, int by)
    {
        var served = new HashSet<(int Port, string? Zone)>();
        var failing = new HashSet<int>();
        foreach (var stream in instance.Streams)
        {
            foreach (var port in stream.Ports)
            {
                if (stream.Serves(port))
                {
                    served.Add((port, null));
                    served.Add((port, stream.Zone));
                }
                else
                {
                    failing.Add(port);
                }
            }
        }

        foreach (var key in served)
        {
            failing.Remove(key.Port);
            _serving[key] = _serving.GetValueOrDefault(key) + by;
            if (_serving[key] == 0)
            {
                _serving.Remove(key);
            }
        }

        foreach (var port in failing)
        {
            CountFailing(instance, port, by);
        }
    }

    private void CountFailing(Instance instance, int port, int by)
    {
        if (!_failing.TryGetValue(port, out var instances))
        {
            _failing[port] = instances = [];
        }

        if (by > 0)
        {
            instances.Add(instance);
            return;
        }

        instances.Remove(instance);
        if (instances.Count == 0)
        {
            _failing.Remove(port);
        }
    }
}
