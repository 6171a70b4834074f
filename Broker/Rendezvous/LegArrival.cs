using Whip.Protocol.Legs;

namespace Whip.Broker.Rendezvous;

/// <summary>The leg a dial waited for, or the agent's reason why there is none.</summary>
internal readonly record struct LegArrival(Leg? Leg, string Failure);
