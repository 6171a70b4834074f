namespace Whip.Protocol.Admin;

/// <summary>The answer of <c>/api/explain</c>: how a dial of a name would end at one broker, and why.</summary>
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

    /// <summary>Why the status is <c>unhealthy</c>, as a dialer is told; else null.</summary>
    public string? Unhealthy { get; init; }

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

/// <summary>What one broker answers about a name.</summary>
internal sealed record HolderStatus
{
    public required string BrokerId { get; init; }

    public required bool IsSelf { get; init; }

    /// <summary>It is a silo, so that it can be asked.</summary>
    public required bool IsLinked { get; init; }

    public required bool IsSuspect { get; init; }

    public required double? RoundTripMs { get; init; }

    /// <summary>False: it could not be asked or did not answer in time, and nothing below is known.</summary>
    public required bool HasAnswered { get; init; }

    /// <summary>It holds a stream of the instance of this name.</summary>
    public bool IsInstance { get; init; }

    /// <summary>One of them publishes the port.</summary>
    public bool Publishes { get; init; }

    /// <summary>It holds instances of the domain of this name.</summary>
    public bool IsDomain { get; init; }

    /// <summary>Those that publish the port and do not fail its check.</summary>
    public int Instances { get; init; }

    /// <summary>Those that publish the port and fail its check.</summary>
    public int FailingInstances { get; init; }

    /// <summary>The instance of this name fails the check of the port.</summary>
    public bool Fails { get; init; }

    /// <summary>Relays to them.</summary>
    public int Relays { get; init; }
}

/// <summary>What a broker remembers of its last round of questions about a name.</summary>
/// <param name="AgeSeconds">Since it asked.</param>
/// <param name="IsBelieved">Whether a dial would still go by it.</param>
/// <param name="Brokers">Those that hold the name and port.</param>
internal sealed record RememberedHolders(double AgeSeconds, bool IsBelieved, IReadOnlyList<string> Brokers);

/// <summary>What the dial policy says to one dialer.</summary>
/// <param name="HasFile">False: no file is configured, and everything is allowed.</param>
/// <param name="DialerNames">Whom the verdict is for; empty is a dialer without a certificate.</param>
/// <param name="IsAllowed">The verdict.</param>
internal sealed record PolicyVerdict(bool HasFile, IReadOnlyList<string> DialerNames, bool IsAllowed);

/// <summary>A dial that failed at a broker.</summary>
/// <param name="At">When it ended.</param>
/// <param name="Name">What was dialled.</param>
/// <param name="Port">Its port.</param>
/// <param name="Origin">Where it came from.</param>
/// <param name="Outcome">As in <c>Whip-Outcome</c>.</param>
/// <param name="Reason">The line sent to the dialer.</param>
internal sealed record FailedDial(DateTimeOffset At, string Name, int Port, string Origin, string Outcome, string Reason);
