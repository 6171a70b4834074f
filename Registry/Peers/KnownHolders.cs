namespace Whip.Registry.Peers;

/// <summary>Who holds a name, by an index.</summary>
/// <param name="IsHere">This broker does.</param>
/// <param name="Others">The ids of the other brokers that do.</param>
internal sealed record KnownHolders(bool IsHere, IReadOnlyCollection<string> Others);
