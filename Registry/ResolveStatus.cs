namespace Whip.Registry;

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

    /// <summary>No broker that answered knows the name, and one did not answer in time: it may hold it.</summary>
    Unanswered,

    /// <summary>The name is not live, and no more dials may wait for it.</summary>
    TooManyWaiters,
}
