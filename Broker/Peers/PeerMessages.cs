using Whip.Protocol.Messages;
using Whip.Registry.Peers;

namespace Whip.Broker.Peers;

/// <summary>Questions and reports as messages and back.</summary>
internal static class PeerMessages
{
    public static PeerLookup ToMessage(NameQuery query, ulong id) => new() { Id = id, Name = query.Name, Port = (uint)query.Port, Zone = query.Zone };

    public static PeerReport ToMessage(NameReport report, ulong id) => new()
    {
        Id = id,
        IsInstance = report.IsInstance,
        Publishes = report.Publishes,
        IsDomain = report.IsDomain,
        Instances = (uint)report.Instances,
        InstancesInZone = (uint)report.InstancesInZone,
        Relays = (uint)report.Relays,
        KnowsParent = report.KnowsParent,
    };

    public static NameReport FromMessage(PeerReport report) => new()
    {
        IsInstance = report.IsInstance,
        Publishes = report.Publishes,
        IsDomain = report.IsDomain,
        Instances = Count(report.Instances),
        InstancesInZone = Count(report.InstancesInZone),
        Relays = Count(report.Relays),
        KnowsParent = report.KnowsParent,
    };

    private static int Count(uint count) => (int)Math.Min(count, int.MaxValue);
}
