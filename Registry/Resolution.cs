namespace Whip.Registry;

/// <summary>The registry's answer to one attempt of a dial.</summary>
/// <param name="Status">Whether there is a route.</param>
/// <param name="Route">A stream of this broker to ask; null unless found here.</param>
/// <param name="HasMore">Whether another stream could be asked if this one fails.</param>
/// <param name="IsAmbiguous">The name is both an instance and a domain; the instance was taken.</param>
/// <param name="Holder">The id of another broker that holds a stream, to which the dial goes; null unless found there.</param>
internal readonly record struct Resolution(
    ResolveStatus Status, StreamRoute? Route = null, bool HasMore = false, bool IsAmbiguous = false, string? Holder = null);
