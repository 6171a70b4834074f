using System.Diagnostics.CodeAnalysis;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;

namespace Whip.Protocol.Dialing;

/// <summary>The result of a dial: a stream, or the outcome and a one-line reason.</summary>
public sealed class DialResult
{
    private DialResult(DialOutcome outcome, string reason, WhipStream? stream)
    {
        Outcome = outcome;
        Reason = reason;
        Stream = stream;
    }

    /// <summary>How the dial ended.</summary>
    public DialOutcome Outcome { get; }

    /// <summary>One printable line that says why, and to which name; empty when connected.</summary>
    public string Reason { get; }

    /// <summary>The stream, owned by the caller; null unless <see cref="IsConnected"/>.</summary>
    public WhipStream? Stream { get; }

    /// <summary>The same stream where a broker has it as an agent's leg, or the broker's leg to the holder.</summary>
    internal Leg? Leg => Stream as Leg;

    /// <summary>Whether there is a stream.</summary>
    [MemberNotNullWhen(true, nameof(Stream))]
    public bool IsConnected => Stream is not null;

    /// <summary>The dial front to go to; null unless <see cref="DialOutcome.Redirected"/>.</summary>
    internal HostPort? Location { get; private init; }

    internal static DialResult Connected(WhipStream stream) => new(DialOutcome.Connected, "", stream);

    internal static DialResult Failed(DialOutcome outcome, string reason) => new(outcome, reason, null);

    internal static DialResult RedirectedTo(HostPort location, string reason) => new(DialOutcome.Redirected, reason, null) { Location = location };
}
