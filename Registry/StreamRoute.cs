using Whip.Protocol.Names;

namespace Whip.Registry;

/// <summary>One live control stream as the registry knows it: whose it is and which broker holds it. Immutable.</summary>
internal sealed record StreamRoute
{
    /// <summary>Unique for ever; what a detach names, so that the end of an old stream cannot remove a new one.</summary>
    public required string StreamId { get; init; }

    public required string BrokerId { get; init; }

    public required InstanceName Name { get; init; }

    /// <summary>The published ports, 1 to 64 of them.</summary>
    public required IReadOnlyList<int> Ports { get; init; }

    /// <summary>Empty for an original agent, which is then an agent of its own.</summary>
    public string AgentId { get; init; } = "";

    /// <summary>Grows with every stream of one agent.</summary>
    public ulong Generation { get; init; }

    /// <summary>A digest of the agent's leaf; empty on plain streams. Only the same leaf can fence a stream.</summary>
    public string Leaf { get; init; } = "";

    public string Zone { get; init; } = "";

    public bool Publishes(int port)
    {
        for (var i = 0; i < Ports.Count; i++)
        {
            if (Ports[i] == port)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether this stream replaces <paramref name="older"/>: the same agent, known by the same leaf, came back.</summary>
    public bool Fences(StreamRoute older) =>
        AgentId.Length > 0 && AgentId == older.AgentId && Leaf == older.Leaf && Name == older.Name && Generation > older.Generation;
}
