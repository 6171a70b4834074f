namespace Whip.Registry.Holders;

/// <summary>
/// Chooses the broker that will choose the instance of a domain, in proportion to the instances that each holds: so every instance is equally
/// likely, and there is no list of them. By least connections, two brokers are drawn and the one with fewer relays per instance is taken.
/// </summary>
internal sealed class DomainChoice(ResolveRequest request, Resolution own, NameReport mine, BalancePolicy balance)
{
    // A broker id is never empty.
    private const string Here = "";

    public Resolution Choose(IReadOnlyDictionary<string, NameReport> theirs, Func<string, bool> isSuspect)
    {
        var candidates = theirs.Where(pair => pair.Value.Instances > 0 && !request.TriedBrokers.Contains(pair.Key)).ToList();
        if (candidates.Exists(pair => !isSuspect(pair.Key)))
        {
            candidates.RemoveAll(pair => isSuspect(pair.Key));
        }

        if (own.Route is not null)
        {
            candidates.Add(new(Here, mine));
        }

        if (candidates.Count == 0)
        {
            return Missing(theirs.Values);
        }

        var isZoned = candidates.Exists(pair => pair.Value.InstancesInZone > 0);
        var picked = Draw(candidates, isZoned);
        if (balance == BalancePolicy.LeastConnections && Draw(candidates, isZoned) is var other && Load(other.Value) < Load(picked.Value))
        {
            picked = other;
        }

        return picked.Key == Here ? own with { HasMore = own.HasMore || candidates.Count > 1 }
            : new Resolution(ResolveStatus.Found, HasMore: candidates.Count > 1, Holder: picked.Key);
    }

    private static double Load(NameReport report) => (double)report.Relays / report.Instances;

    private static KeyValuePair<string, NameReport> Draw(List<KeyValuePair<string, NameReport>> candidates, bool isZoned)
    {
        var left = Random.Shared.NextInt64(candidates.Sum(pair => (long)Weight(pair.Value, isZoned)));
        foreach (var candidate in candidates)
        {
            left -= Weight(candidate.Value, isZoned);
            if (left < 0)
            {
                return candidate;
            }
        }

        return candidates[^1];
    }

    private static int Weight(NameReport report, bool isZoned) => isZoned ? report.InstancesInZone : report.Instances;

    private Resolution Missing(IEnumerable<NameReport> theirs)
    {
        var reports = theirs.Append(mine).ToList();
        return request.TriedBrokers.Count > 0 || own.Status == ResolveStatus.Exhausted ? new Resolution(ResolveStatus.Exhausted)
            : reports.Exists(report => report.FailingInstances > 0) ? Resolution.Unhealthy(reports.SelectMany(report => report.Failing))
            : reports.Exists(report => report.IsDomain) ? new Resolution(ResolveStatus.PortNotPublished)
            : new Resolution(reports.Exists(report => report.KnowsParent) ? ResolveStatus.NoSuchHost : ResolveStatus.NoSuchDomain);
    }
}
