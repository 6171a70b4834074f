namespace Whip.Broker.Dialing;

/// <summary>Whose dial it is.</summary>
/// <param name="Names">The verified names of the dialer's leaf; empty for a dialer without one.</param>
/// <param name="Description">Where it came from, for the log.</param>
internal sealed record DialOrigin(IReadOnlyList<string> Names, string Description);
