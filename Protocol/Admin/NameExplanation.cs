namespace Whip.Protocol.Admin;

/// <summary>The answer of <c>/api/explain</c>: what a dial of a name would come to at one broker, and why.</summary>
internal sealed record NameExplanation
{
    public required string BrokerId { get; init; }

    public required string Name { get; init; }

    public required int Port { get; init; }

    /// <summary>Whether a dial that arrives now would find a stream to ask, here or elsewhere.</summary>
    public required bool Resolves { get; init; }

    /// <summary><c>found</c>, or why not: <c>port-not-published</c>, <c>no-such-host</c>, <c>no-such-domain</c> and so on.</summary>
    public required string Status { get; init; }

    /// <summary>The broker a dial would go to; null when it resolves nowhere. Another dial of a domain may go elsewhere.</summary>
    public required string? Holder { get; init; }

    /// <summary>The stream of this broker a dial would ask; null when it goes elsewhere or nowhere.</summary>
    public required string? StreamId { get; init; }

    /// <summary>The name is an instance and a domain at once, and dialled as the instance.</summary>
    public required bool IsAmbiguous { get; init; }

    /// <summary>What every broker holds under the name, asked for this answer; this broker first.</summary>
    public required IReadOnlyList<HolderStatus> Brokers { get; init; }

    /// <summary>What dials before this answer left in memory; null if nothing.</summary>
    public required RememberedHolders? Remembered { get; init; }

    public required PolicyVerdict Policy { get; init; }

    /// <summary>Streams of this broker under the name, those beyond the shown ones included.</summary>
    public required int StreamsHere { get; init; }

    /// <summary>Some of them, by name.</summary>
    public required IReadOnlyList<StreamStatus> Streams { get; init; }

    /// <summary>The last dials of the name, at any port, that failed at this broker; newest first.</summary>
    public required IReadOnlyList<FailedDial> Failures { get; init; }
}
