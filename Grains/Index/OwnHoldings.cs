using Whip.Registry;

namespace Whip.Grains.Index;

/// <summary>What this broker holds, as the grains take it.</summary>
internal sealed class OwnHoldings(LocalRoutes local, ILocalSiloDetails silo)
{
    private long _version;

    public Holding Client(string fullName)
    {
        // Before the table is read: see Holding.Version.
        var version = Interlocked.Increment(ref _version);
        var streams = Streams(fullName);
        return new Holding { Silo = silo.SiloAddress, Version = version, IsHeld = streams.Count > 0, Streams = streams };
    }

    public Holding Domain(string name)
    {
        var version = Interlocked.Increment(ref _version);
        return new Holding { Silo = silo.SiloAddress, Version = version, IsHeld = local.HoldsDomain(name) };
    }

    public Located Locate(NameQuery query)
    {
        var version = Interlocked.Increment(ref _version);
        var report = local.Report(query);
        return new Located
        {
            Version = version,
            Streams = report.IsInstance ? Streams(query.Name) : [],
            Publishes = report.Publishes,
            IsDomain = report.IsDomain,
            Instances = report.Instances,
            InstancesInZone = report.InstancesInZone,
            Relays = report.Relays,
            KnowsParent = report.KnowsParent,
            FailingInstances = report.FailingInstances,
            Failing = [.. report.Failing.Select(ToLocated)],
        };
    }

    private static LocatedFailure ToLocated(FailingInstance failing) => new()
    {
        Name = failing.Name,
        Check = failing.Failure.Check,
        Reason = failing.Failure.Reason,
        Since = failing.Failure.Since,
    };

    private IReadOnlyList<HeldStream> Streams(string fullName) =>
        InstanceName.TryParse(fullName, out var name) ? [.. local.Named(name).Select(ToStream)] : [];

    private static HeldStream ToStream(StreamRoute route) => new()
    {
        StreamId = route.StreamId,
        AgentId = route.AgentId,
        Generation = route.Generation,
        Ports = [.. route.Ports],
        Zone = route.Zone,
        FailingPorts = [.. route.Failing.Keys],
    };
}
