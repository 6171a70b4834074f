namespace Whip.Protocol.Admin;

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

    /// <summary>Its link is down or silent, or its lease stale: it is tried last.</summary>
    public required bool IsSuspect { get; init; }

    /// <summary>The link to it stands.</summary>
    public required bool IsLinked { get; init; }

    /// <summary>Of the last ping on the link, in milliseconds; null before the first, and without a link.</summary>
    public required double? RoundTripMs { get; init; }
}
