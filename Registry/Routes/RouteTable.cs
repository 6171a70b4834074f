using Whip.Registry.Peers;

namespace Whip.Registry.Routes;

/// <summary>
/// The streams of one process by name and by domain. Owner of all of it: the lock, held for a lookup or an update and never
/// longer. A domain is a dense list of its instances, so that a uniform choice costs the same in a domain of any size.
/// </summary>
internal sealed class RouteTable
{
    // Uniform rejection sampling: after this many misses the domain is scanned once instead.
    private const int Draws = 8;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Instance> _instances = [];
    private readonly Dictionary<string, List<Instance>> _domains = [];

    /// <summary>Adds a stream, newest first, and returns those it fences, which are removed here.</summary>
    public IReadOnlyList<StreamRoute> Add(StreamRoute route)
    {
        lock (_lock)
        {
            if (!_instances.TryGetValue(route.Name.FullName, out var instance))
            {
                instance = AddInstance(route);
            }

            var fenced = instance.Streams.Where(route.Fences).ToList();
            instance.Streams.RemoveAll(older => older.StreamId == route.StreamId || fenced.Contains(older));
            instance.Streams.Insert(0, route);
            return fenced;
        }
    }

    /// <summary>Removes the stream of this id, and its instance and domain when it was their last.</summary>
    public void Remove(StreamRoute route)
    {
        lock (_lock)
        {
            if (_instances.TryGetValue(route.Name.FullName, out var instance)
                && instance.Streams.RemoveAll(stream => stream.StreamId == route.StreamId) > 0
                && instance.Streams.Count == 0)
            {
                RemoveInstance(instance);
            }
        }
    }

    /// <summary>Chooses as <see cref="IClientRegistry.ResolveAsync"/> says.</summary>
    public Resolution Resolve(ResolveRequest request)
    {
        lock (_lock)
        {
            var isDomain = _domains.TryGetValue(request.Name, out var members);
            if (_instances.TryGetValue(request.Name, out var instance))
            {
                return ResolveInstance(instance, request) with { IsAmbiguous = isDomain };
            }

            if (isDomain)
            {
                return ResolveDomain(members!, request);
            }

            var dot = request.Name.IndexOf('.');
            var domainIsKnown = dot >= 0 && _domains.ContainsKey(request.Name[(dot + 1)..]);
            return new Resolution(domainIsKnown ? ResolveStatus.NoSuchHost : ResolveStatus.NoSuchDomain);
        }
    }

    /// <summary>What a peer is told of a name.</summary>
    public NameReport Report(NameQuery query)
    {
        lock (_lock)
        {
            var instance = _instances.GetValueOrDefault(query.Name);
            var members = _domains.GetValueOrDefault(query.Name);
            var dot = query.Name.IndexOf('.');
            var knowsParent = dot >= 0 && _domains.ContainsKey(query.Name[(dot + 1)..]);
            return instance is null && members is null && !knowsParent ? NameReport.Nothing : new NameReport
            {
                IsInstance = instance is not null,
                Publishes = instance?.Streams.Exists(stream => stream.Publishes(query.Port)) ?? false,
                IsDomain = members is not null,
                Instances = members?.Count(member => member.Streams.Exists(stream => stream.Publishes(query.Port))) ?? 0,
                InstancesInZone = members?.Count(member => member.Streams.Exists(stream => stream.Publishes(query.Port) && stream.Zone == query.Zone)) ?? 0,
                KnowsParent = knowsParent,
            };
        }
    }

    /// <summary>The other streams of the name, for the warning that two agents share it.</summary>
    public IReadOnlyList<StreamRoute> Streams(string fullName)
    {
        lock (_lock)
        {
            return _instances.TryGetValue(fullName, out var instance) ? [.. instance.Streams] : [];
        }
    }

    private static Resolution ResolveInstance(Instance instance, ResolveRequest request)
    {
        StreamRoute? first = null;
        var published = false;
        foreach (var stream in instance.Streams)
        {
            if (!stream.Publishes(request.Port))
            {
                continue;
            }

            published = true;
            if (request.Tried.Contains(stream))
            {
                continue;
            }

            if (first is not null)
            {
                return new Resolution(ResolveStatus.Found, first, HasMore: true);
            }

            first = stream;
        }

        return first is not null ? new Resolution(ResolveStatus.Found, first)
            : new Resolution(published ? ResolveStatus.Exhausted : ResolveStatus.PortNotPublished);
    }

    private static Resolution ResolveDomain(List<Instance> members, ResolveRequest request)
    {
        for (var draw = 0; draw < Draws; draw++)
        {
            var drawn = members[Random.Shared.Next(members.Count)];
            if (Candidate(drawn, request) is { } route)
            {
                return new Resolution(ResolveStatus.Found, route, HasMore: members.Count > request.Tried.Count + 1);
            }
        }

        var candidates = members.Select(member => Candidate(member, request)).OfType<StreamRoute>().ToList();
        if (candidates.Count > 0)
        {
            return new Resolution(ResolveStatus.Found, candidates[Random.Shared.Next(candidates.Count)], candidates.Count > 1);
        }

        var published = members.Exists(member => member.Streams.Exists(stream => stream.Publishes(request.Port)));
        return new Resolution(published ? ResolveStatus.Exhausted : ResolveStatus.PortNotPublished);
    }

    private static StreamRoute? Candidate(Instance instance, ResolveRequest request)
    {
        foreach (var tried in request.Tried)
        {
            if (tried.Name == instance.Name)
            {
                return null;
            }
        }

        return instance.Streams.Find(stream => stream.Publishes(request.Port));
    }

    private Instance AddInstance(StreamRoute route)
    {
        if (!_domains.TryGetValue(route.Name.Domain, out var members))
        {
            _domains[route.Name.Domain] = members = [];
        }

        var instance = new Instance(route.Name) { Position = members.Count };
        members.Add(instance);
        _instances[route.Name.FullName] = instance;
        return instance;
    }

    private void RemoveInstance(Instance instance)
    {
        _instances.Remove(instance.Name.FullName);
        var members = _domains[instance.Name.Domain];
        var last = members[^1];
        members[instance.Position] = last;
        last.Position = instance.Position;
        members.RemoveAt(members.Count - 1);
        if (members.Count == 0)
        {
            _domains.Remove(instance.Name.Domain);
        }
    }
}
