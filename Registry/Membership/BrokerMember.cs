namespace Whip.Registry.Membership;

/// <summary>One broker of the cluster. Immutable.</summary>
internal sealed record BrokerMember
{
    /// <summary>Unique in the cluster, and the same after a restart.</summary>
    public required string Id { get; init; }

    /// <summary>Grows with every start of a broker of this id; 0 before it joined.</summary>
    public long Incarnation { get; init; }

    /// <summary>host:port for agents' control streams. No two brokers of a cluster share any address.</summary>
    public required string ExternalGrpc { get; init; }

    /// <summary>host:port for agents' legs.</summary>
    public required string ExternalTcp { get; init; }

    /// <summary>host:port of the dial front.</summary>
    public required string ExternalDial { get; init; }

    public string Zone { get; init; } = "";

    /// <summary>It is about to leave: nothing new belongs there.</summary>
    public bool IsDraining { get; init; }

    /// <summary>It has not been heard of for a while: to be tried last.</summary>
    public bool IsSuspect { get; init; }

    public override string ToString() => $"{Id}{(IsDraining ? " (draining)" : "")}{(IsSuspect ? " (suspect)" : "")}";
}
