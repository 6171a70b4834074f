using Whip.Protocol.Names;

namespace Whip.Registry;

/// <summary>One control stream: its agent and the broker that holds it. Immutable.</summary>
internal sealed record StreamRoute
{
    /// <summary>Never reused. Streams are detached by it, so that the end of an old stream cannot remove a new one.</summary>
    public required string StreamId { get; init; }

    public required string BrokerId { get; init; }

    public required InstanceName Name { get; init; }

    /// <summary>The published ports, 1 to 64 of them.</summary>
    public required IReadOnlyList<int> Ports { get; init; }

    /// <summary>Empty for an original agent, each of whose streams counts as another agent.</summary>
    public string AgentId { get; init; } = "";

    /// <summary>Grows with every stream of one agent.</summary>
    public ulong Generation { get; init; }

    /// <summary>The names in the agent's leaf; empty without TLS. Only the same leaf can replace a stream.</summary>
    public string Leaf { get; init; } = "";

    public string Zone { get; init; } = "";

    public bool Publishes(int port) => Ports.Contains(port);

    /// <summary>Whether this stream replaces <paramref name="older"/>: the same agent, known by the same leaf, came back.</summary>
    public bool Fences(StreamRoute older) =>
        AgentId.Length > 0 && AgentId == older.AgentId && Leaf == older.Leaf && Name == older.Name && Generation > older.Generation;
}
