using System.Collections.Frozen;
using Whip.Protocol.Names;

namespace Whip.Registry;

/// <summary>One control stream: its agent and the broker that holds it. Immutable; what changes is another one with the same id.</summary>
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

    /// <summary>The published ports whose check fails at the agent.</summary>
    public IReadOnlyDictionary<int, PortFailure> Failing { get; init; } = FrozenDictionary<int, PortFailure>.Empty;

    public bool Publishes(int port) => Ports.Contains(port);

    /// <summary>It publishes the port, and the agent does not say that its service fails.</summary>
    public bool Serves(int port) => Publishes(port) && !Failing.ContainsKey(port);

    /// <summary>Whether this stream replaces <paramref name="older"/>: the same agent, known by the same leaf, came back.</summary>
    public bool Fences(StreamRoute older) =>
        AgentId.Length > 0 && AgentId == older.AgentId && Leaf == older.Leaf && Name == older.Name && Generation > older.Generation;
}

/// <summary>That the agent's check of a published port fails. The texts are the broker's own.</summary>
/// <param name="Check">Its kind.</param>
/// <param name="Reason">The class of the failure.</param>
/// <param name="Since">By the clock of the broker that holds the stream.</param>
internal sealed record PortFailure(string Check, string Reason, DateTimeOffset Since);
