using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;

namespace Whip.Broker.Dialing;

/// <summary>One agent's leg, or how asking for it ended.</summary>
internal readonly record struct LegAttempt(Leg? Leg, DialResult? Failure)
{
    public static LegAttempt Failed(DialOutcome outcome, string reason) => new(null, DialResult.Failed(outcome, reason));
}
