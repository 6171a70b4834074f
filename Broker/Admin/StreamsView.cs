using Whip.Broker.ControlStreams;
using Whip.Protocol.Admin;

namespace Whip.Broker.Admin;

/// <summary>Lists the control streams that this broker holds.</summary>
internal sealed class StreamsView(BrokerParts broker)
{
    /// <summary>The streams of a domain, or all of them if it is empty.</summary>
    public ClientList List(string domain, int limit)
    {
        var (total, clients) = Find(stream => domain.Length == 0 || stream.Route.Name.Domain == domain, limit);
        return new ClientList(broker.Identity.BrokerId, total, clients);
    }

    /// <summary>The streams of an instance, and those of the instances of a domain of the same name.</summary>
    public (int Total, IReadOnlyList<StreamStatus> Streams) Named(string name, int limit) =>
        Find(stream => stream.Route.Name.FullName == name || stream.Route.Name.Domain == name, limit);

    private (int Total, IReadOnlyList<StreamStatus> Streams) Find(Func<AgentStream, bool> isWanted, int limit)
    {
        var wanted = broker.Streams.All.Where(isWanted).ToList();
        var first = wanted.OrderBy(stream => stream.Route.Name.FullName, StringComparer.Ordinal).Take(limit);
        return (wanted.Count, [.. first.Select(Read)]);
    }

    private static FailingPort Failing(KeyValuePair<int, PortFailure> failing) =>
        new(failing.Key, failing.Value.Check, failing.Value.Reason, failing.Value.Since);

    private StreamStatus Read(AgentStream stream)
    {
        var route = stream.Route;
        var pings = stream.Pings.Read();
        return new StreamStatus
        {
            Name = route.Name.FullName,
            Ports = route.Ports,
            Failing = [.. route.Failing.OrderBy(pair => pair.Key).Select(Failing)],
            StreamId = route.StreamId,
            AgentId = route.AgentId,
            Generation = route.Generation,
            Remote = stream.Remote.ToString(),
            Zone = route.Zone,
            ConnectedSeconds = Rounded.Seconds(pings.Age),
            RoundTripMs = Rounded.Milliseconds(pings.RoundTrip),
            PongAgeSeconds = Rounded.Seconds(pings.SincePong),
            PendingDials = stream.Pending,
            Relays = broker.Routes.Loads.Of(route.Name.FullName),
        };
    }
}
