namespace Whip.Protocol.Admin;

/// <summary>What one broker answers about a name.</summary>
internal sealed record HolderStatus
{
    public required string BrokerId { get; init; }

    public required bool IsSelf { get; init; }

    public required bool IsLinked { get; init; }

    public required bool IsSuspect { get; init; }

    public required double? RoundTripMs { get; init; }

    /// <summary>False: it was not linked or did not answer in time, and nothing below is known.</summary>
    public required bool HasAnswered { get; init; }

    /// <summary>It holds a stream of the instance of this name.</summary>
    public bool IsInstance { get; init; }

    /// <summary>One of them publishes the port.</summary>
    public bool Publishes { get; init; }

    /// <summary>It holds instances of the domain of this name.</summary>
    public bool IsDomain { get; init; }

    /// <summary>Those that publish the port.</summary>
    public int Instances { get; init; }

    /// <summary>Relays to them.</summary>
    public int Relays { get; init; }
}
