namespace Whip.Registry.Routes;

/// <summary>
/// Chooses among the streams of this broker, under the lock of their <see cref="LocalRoutes"/>. A stream that fails the check of the port is no choice.
/// </summary>
internal static class StreamChoice
{
    // Uniform rejection sampling; after this many misses the domain is scanned.
    private const int Draws = 8;

    public static Resolution Choose(Instance instance, ResolveRequest request)
    {
        StreamRoute? first = null;
        var isServed = false;
        foreach (var stream in instance.Streams)
        {
            if (!stream.Serves(request.Target.Port))
            {
                continue;
            }

            isServed = true;
            if (IsTried(stream, request))
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
            : isServed ? new Resolution(ResolveStatus.Exhausted)
            : instance.Failing(request.Target.Port) is { } failing ? Resolution.Unhealthy([failing])
            : new Resolution(ResolveStatus.PortNotPublished);
    }

    public static Resolution Choose(Domain domain, ResolveRequest request, BalancePolicy balance, RelayLoads loads)
    {
        var port = request.Target.Port;
        var serving = domain.Serving(port);
        if (serving == 0)
        {
            return domain.FirstFailing(port) is { Count: > 0 } failing ? Resolution.Unhealthy(failing) : new Resolution(ResolveStatus.PortNotPublished);
        }

        var zone = request.Zone.Length > 0 && domain.Serving(port, request.Zone) > 0 ? request.Zone : null;
        var route = Draw(domain, request, zone) ?? (zone is null ? null : Draw(domain, request, zone: null));
        if (route is null)
        {
            return new Resolution(ResolveStatus.Exhausted);
        }

        if (balance == BalancePolicy.LeastConnections && Draw(domain, request, zone) is { } other
            && loads.Of(other.Name.FullName) < loads.Of(route.Name.FullName))
        {
            route = other;
        }

        return new Resolution(ResolveStatus.Found, route, HasMore: serving > request.Tried.Count + 1);
    }

    private static StreamRoute? Draw(Domain domain, ResolveRequest request, string? zone)
    {
        for (var draw = 0; draw < Draws; draw++)
        {
            if (Candidate(domain.Members[Random.Shared.Next(domain.Members.Count)], request, zone) is { } route)
            {
                return route;
            }
        }

        var candidates = domain.Members.Select(member => Candidate(member, request, zone)).OfType<StreamRoute>().ToList();
        return candidates.Count == 0 ? null : candidates[Random.Shared.Next(candidates.Count)];
    }

    private static StreamRoute? Candidate(Instance instance, ResolveRequest request, string? zone)
    {
        foreach (var tried in request.Tried)
        {
            if (tried.Name == instance.Name)
            {
                return null;
            }
        }

        return instance.Serving(request.Target.Port, zone);
    }

    // What is known of a stream may have changed since it was tried.
    private static bool IsTried(StreamRoute stream, ResolveRequest request)
    {
        foreach (var tried in request.Tried)
        {
            if (tried.StreamId == stream.StreamId)
            {
                return true;
            }
        }

        return false;
    }
}
