namespace Whip.Broker.Peers;

/// <summary>What one look at one address found; the problem is empty when we answer.</summary>
internal readonly record struct SelfAnswer(SelfVerdict Verdict, string Problem = "");
