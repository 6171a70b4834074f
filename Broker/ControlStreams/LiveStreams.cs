using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Whip.Broker.ControlStreams;

/// <summary>The streams this broker holds, by stream id.</summary>
internal sealed class LiveStreams
{
    private readonly ConcurrentDictionary<string, AgentStream> _byId = new();

    public int Count => _byId.Count;

    /// <summary>Published ports whose check fails, of all streams.</summary>
    public int UnhealthyPorts => All.Sum(stream => stream.Route.Failing.Count);

    public IEnumerable<AgentStream> All => _byId.Select(pair => pair.Value);

    public void Add(AgentStream stream) => _byId[stream.Route.StreamId] = stream;

    public void Remove(AgentStream stream) => _byId.TryRemove(stream.Route.StreamId, out _);

    public bool TryGet(StreamRoute route, [NotNullWhen(true)] out AgentStream? stream) => _byId.TryGetValue(route.StreamId, out stream);
}
