namespace Whip.Registry.Routes;

/// <summary>
/// The instances of one domain in a <see cref="LocalRoutes"/>, guarded by its lock: a dense list, so that a uniform choice costs the same in a domain of
/// any size, and the number of instances for each published port, so that other brokers are answered without a scan.
/// </summary>
internal sealed class Domain
{
    // A null zone is for any zone.
    private readonly Dictionary<(int Port, string? Zone), int> _publishing = [];

    public List<Instance> Members { get; } = [];

    /// <summary>How many instances publish the port, in the zone if one is named.</summary>
    public int Publishing(int port, string? zone = null) => _publishing.GetValueOrDefault((port, zone));

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
        var published = new HashSet<(int, string?)>();
        foreach (var stream in instance.Streams)
        {
            foreach (var port in stream.Ports)
            {
                published.Add((port, null));
                published.Add((port, stream.Zone));
            }
        }

        foreach (var key in published)
        {
            _publishing[key] = _publishing.GetValueOrDefault(key) + by;
            if (_publishing[key] == 0)
            {
                _publishing.Remove(key);
            }
        }
    }
}
