using Whip.Protocol.Names;
using Whip.Registry;
using Whip.Registry.Routes;

namespace Whip.Grains.Index;

/// <summary>What this broker holds, in the words of the grains.</summary>
internal sealed class OwnHoldings(LocalRoutes local, string brokerId, ILocalSiloDetails silo)
{
    private long _version;

    public ClientHolding Client(string fullName)
    {
        // Before the look: see IHolding.
        var version = Interlocked.Increment(ref _version);
        IReadOnlyList<StreamRoute> routes = InstanceName.TryParse(fullName, out var name) ? local.Named(name) : [];
        return new ClientHolding { Silo = silo.SiloAddress, BrokerId = brokerId, Version = version, Streams = [.. routes.Select(ToStream)] };
    }

    public DomainHolding Domain(string name)
    {
        var version = Interlocked.Increment(ref _version);
        return new DomainHolding { Silo = silo.SiloAddress, BrokerId = brokerId, Version = version, IsHeld = local.HoldsDomain(name) };
    }

    private static HeldStream ToStream(StreamRoute route) => new()
    {
        StreamId = route.StreamId,
        AgentId = route.AgentId,
        Generation = route.Generation,
        Ports = [.. route.Ports],
        Zone = route.Zone,
    };
}
