namespace Whip.Protocol.Admin;

/// <summary>The answer of <c>/api/status</c>: one broker at a glance.</summary>
internal sealed record BrokerStatus
{
    public required string BrokerId { get; init; }

    /// <summary><c>starting</c>, <c>ready</c>, <c>not-ready</c> or <c>draining</c>.</summary>
    public required string State { get; init; }

    /// <summary>Why it is not ready; null if nothing is known to be wrong.</summary>
    public required string? Problem { get; init; }

    /// <summary>What has changed and is refused, so that what was before it is in force; null from a broker of an earlier version.</summary>
    public IReadOnlyList<RefusedFile>? RefusedFiles { get; init; }

    /// <summary><c>embedded</c> for a broker that is alone, or <c>orleans</c>.</summary>
    public required string Engine { get; init; }

    /// <summary>The brokers that are silos, as this one's silo sees them: empty while it has no silo; null for a broker that is alone.</summary>
    public required IReadOnlyList<string>? Silos { get; init; }

    /// <summary>Null for a broker that is alone.</summary>
    public required string? ClusterId { get; init; }

    public required string Version { get; init; }

    public required string Zone { get; init; }

    public required double UptimeSeconds { get; init; }

    /// <summary>Registered control streams.</summary>
    public required int Streams { get; init; }

    /// <summary>Names that have a stream.</summary>
    public required int Instances { get; init; }

    /// <summary>Published ports whose check fails, of all streams; null from a broker of an earlier version.</summary>
    public int? UnhealthyPorts { get; init; }

    public required int Relays { get; init; }

    public required int PendingDials { get; init; }

    public required IReadOnlyList<ListenerStatus> Listeners { get; init; }

    /// <summary>Whether the broker has a silo; if not, the members are those last known. Null for a broker that is alone.</summary>
    public required bool? IsMemberListCurrent { get; init; }

    /// <summary>The brokers of the cluster, this one among them; empty for a broker that is alone.</summary>
    public required IReadOnlyList<MemberStatus> Members { get; init; }
}

/// <summary>A file, or several that belong together, whose content cannot be used.</summary>
/// <param name="File"><c>certificates</c>, <c>policy</c> or <c>deny</c>, as in the metric.</param>
/// <param name="Problem">Why, in one line.</param>
internal sealed record RefusedFile(string File, string Problem);

/// <summary>One listener of a broker.</summary>
/// <param name="Name">As in the ready line.</param>
/// <param name="Bound">What it is bound to.</param>
/// <param name="External">The address that others use; null if no other party is given one.</param>
internal sealed record ListenerStatus(string Name, string Bound, string? External);

/// <summary>One broker of the cluster as another, or itself, sees it.</summary>
internal sealed record MemberStatus
{
    public required string Id { get; init; }

    public required long Incarnation { get; init; }

    public required string Zone { get; init; }

    public required string Grpc { get; init; }

    public required string Tcp { get; init; }

    public required string Dial { get; init; }

    public required bool IsSelf { get; init; }

    public required bool IsDraining { get; init; }

    /// <summary>It does not answer pings: it is tried last.</summary>
    public required bool IsSuspect { get; init; }

    /// <summary>It is a silo, so that it can be asked.</summary>
    public required bool IsLinked { get; init; }

    /// <summary>Of the last ping that was answered, in milliseconds; null before that.</summary>
    public required double? RoundTripMs { get; init; }
}
