namespace Whip.Registry.Peers;

/// <summary>What one broker asks another.</summary>
/// <param name="Name">A normalised instance or domain name.</param>
/// <param name="Port">The dialled port.</param>
/// <param name="Zone">The zone whose instances are counted apart; empty for none.</param>
internal readonly record struct NameQuery(string Name, int Port, string Zone = "");
