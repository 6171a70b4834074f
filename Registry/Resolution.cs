namespace Whip.Registry;

/// <summary>The registry's answer to one attempt of a dial.</summary>
/// <param name="Status">Whether there is a route.</param>
/// <param name="Route">A stream of this broker to ask; null unless found here.</param>
/// <param name="HasMore">Whether another stream could be asked if this one fails.</param>
/// <param name="IsAmbiguous">The name is both an instance and a domain; the instance was taken.</param>
/// <param name="Holder">The id of another broker that holds a stream, to which the dial goes; null unless found there.</param>
internal readonly record struct Resolution(
    ResolveStatus Status, StreamRoute? Route = null, bool HasMore = false, bool IsAmbiguous = false, string? Holder = null);

/// <summary>What the registry knows about a name.</summary>
internal enum ResolveStatus
{
    /// <summary>There is a stream to ask.</summary>
    Found,

    /// <summary>The name is live, but no stream of it publishes the port.</summary>
    PortNotPublished,

    /// <summary>Every stream that publishes the port has been tried by this dial.</summary>
    Exhausted,

    /// <summary>The domain has instances, but not this one.</summary>
    NoSuchHost,

    /// <summary>Neither the name nor its domain is known.</summary>
    NoSuchDomain,

    /// <summary>No broker that answered knows the name, but one that did not answer may hold it.</summary>
    Unanswered,

    /// <summary>The name is not live, and no more dials may wait for it.</summary>
    TooManyWaiters,
}
