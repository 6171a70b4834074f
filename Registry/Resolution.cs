namespace Whip.Registry;

/// <summary>The registry's answer to one attempt of a dial.</summary>
/// <param name="Status">Whether there is a route.</param>
/// <param name="Route">The stream to ask; null unless found.</param>
/// <param name="HasMore">Whether another stream could be asked if this one fails.</param>
/// <param name="IsAmbiguous">The name is both an instance and a domain; the instance was taken.</param>
internal readonly record struct Resolution(ResolveStatus Status, StreamRoute? Route = null, bool HasMore = false, bool IsAmbiguous = false);
