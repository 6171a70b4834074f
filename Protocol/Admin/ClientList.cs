namespace Whip.Protocol.Admin;

/// <summary>The answer of <c>/api/clients</c>: the streams one broker holds.</summary>
/// <param name="BrokerId">The broker.</param>
/// <param name="Total">How many match, those beyond the limit included.</param>
/// <param name="Clients">By name.</param>
internal sealed record ClientList(string BrokerId, int Total, IReadOnlyList<StreamStatus> Clients)
{
    /// <summary>How many can be asked for at once.</summary>
    public const int MaxLimit = 100_000;
}

/// <summary>One agent's control stream at its holder.</summary>
internal sealed record StreamStatus
{
    public required string Name { get; init; }

    public required IReadOnlyList<int> Ports { get; init; }

    /// <summary>Those whose check fails at the agent; null from a broker of an earlier version.</summary>
    public IReadOnlyList<FailingPort>? Failing { get; init; }

    public required string StreamId { get; init; }

    /// <summary>Empty for an original agent.</summary>
    public required string AgentId { get; init; }

    public required ulong Generation { get; init; }

    public required string Remote { get; init; }

    public required string Zone { get; init; }

    /// <summary>Since the registration.</summary>
    public required double ConnectedSeconds { get; init; }

    /// <summary>Of the last ping; null before the first was answered.</summary>
    public required double? RoundTripMs { get; init; }

    /// <summary>Since the last answer to a ping; null before the first.</summary>
    public required double? PongAgeSeconds { get; init; }

    /// <summary>Dials that wait for this agent's leg.</summary>
    public required int PendingDials { get; init; }

    /// <summary>Relays of this broker to the instance, by whichever of its streams.</summary>
    public required int Relays { get; init; }
}

/// <summary>A published port whose check fails at the agent.</summary>
/// <param name="Port">The port.</param>
/// <param name="Check">The kind of the check.</param>
/// <param name="Reason">The class of the failure.</param>
/// <param name="Since">When it began to fail.</param>
internal sealed record FailingPort(int Port, string Check, string Reason, DateTimeOffset Since);
