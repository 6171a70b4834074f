namespace Whip.Registry;

/// <summary>What a dial asks the registry.</summary>
/// <param name="Name">A normalised instance or domain name.</param>
/// <param name="Port">The dialled port.</param>
/// <param name="Tried">Stream ids that this dial has tried; they and, in a domain, their instances are not offered again.</param>
internal readonly record struct ResolveRequest(string Name, int Port, IReadOnlyCollection<StreamRoute> Tried);
