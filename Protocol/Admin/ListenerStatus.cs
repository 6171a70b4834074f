namespace Whip.Protocol.Admin;

/// <summary>One listener of a broker.</summary>
/// <param name="Name">As in the ready line.</param>
/// <param name="Bound">What it is bound to.</param>
/// <param name="External">What others are told of it; null if nobody is told.</param>
internal sealed record ListenerStatus(string Name, string Bound, string? External);
