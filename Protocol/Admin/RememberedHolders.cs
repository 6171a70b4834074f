namespace Whip.Protocol.Admin;

/// <summary>What a broker remembers of its last round of questions about a name.</summary>
/// <param name="AgeSeconds">Since it asked.</param>
/// <param name="IsBelieved">Whether a dial would still go by it.</param>
/// <param name="Brokers">Those that hold the name and port.</param>
internal sealed record RememberedHolders(double AgeSeconds, bool IsBelieved, IReadOnlyList<string> Brokers);
