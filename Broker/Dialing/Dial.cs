using Whip.Protocol.Kept;

namespace Whip.Broker.Dialing;

/// <summary>The state of one dial, owned by the call that runs it.</summary>
internal sealed class Dial(DialTarget target, DialOrigin origin, TimeSpan wait, TimeSpan deadline, long started)
{
    public const string TheAgent = "the agent's leg";

    public DialTarget Target { get; } = target;

    public string Name => Target.Name;

    public int Port => Target.Port;

    public DialOrigin Origin { get; } = origin;

    public TimeSpan Wait { get; } = wait;

    /// <summary>From <see cref="Started"/>, the wait included.</summary>
    public TimeSpan Deadline { get; } = deadline;

    public long Started { get; } = started;

    public List<StreamRoute> Tried { get; } = [];

    public List<string> TriedBrokers { get; } = [];

    /// <summary>Where its connections to holders come from, once one was asked.</summary>
    public DialConnections? Holders { get; set; }

    public DialPath Path { get; set; } = origin.Scope == ResolveScope.OwnOnly ? DialPath.Forwarded : DialPath.Local;

    /// <summary>What took too long, if the deadline passes.</summary>
    public string WaitedFor { get; set; } = TheAgent;

    public ResolveRequest Question => new(Target, Tried) { TriedBrokers = TriedBrokers, Scope = Origin.Scope, Zone = Origin.Zone };

    public TimeSpan Remaining(TimeProvider time) => Deadline - time.GetElapsedTime(Started);
}

/// <summary>How a dial reaches the agent's stream; a label of metrics.</summary>
internal enum DialPath
{
    /// <summary>The stream is at this broker.</summary>
    Local,

    /// <summary>The dialer was redirected to the holder.</summary>
    Redirected,

    /// <summary>This broker relays to the holder.</summary>
    Relayed,

    /// <summary>The stream is at this broker, and another one relays to it: there the dial counts as relayed.</summary>
    Forwarded,
}

/// <summary>Who dials: the verified names of its leaf, empty without one, a description for the log, and how the dial arrived.</summary>
internal sealed record DialOrigin(IReadOnlyList<string> Names, string Description)
{
    /// <summary>The id of its leaf, as a deny list has it; null without one, and from a broker that does not say it.</summary>
    public string? Id { get; init; }

    /// <summary>Where it came from, as the broker saw it that it arrived at; null: not known, or from this process.</summary>
    public DialerAddress? Address { get; init; }

    public ResolveScope Scope { get; init; }

    /// <summary>The zone of the broker where the dial arrived, if that one prefers its own; else empty.</summary>
    public string Zone { get; init; } = "";

    /// <summary>The trace that the dial is part of; null: none.</summary>
    public string? TraceParent { get; init; }

    /// <summary>The dialer can be redirected to the holder.</summary>
    public bool AcceptsRedirect { get; init; }
}
