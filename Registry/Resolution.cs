namespace Whip.Registry;

/// <summary>
/// The answer of the registry to one attempt of a dial: a stream of this broker, or the id of another broker that holds one, and whether there is one
/// more if it fails. The instance is chosen if the name is ambiguous, that is, both an instance and a domain.
/// </summary>
internal readonly record struct Resolution(
    ResolveStatus Status, StreamRoute? Route = null, bool HasMore = false, bool IsAmbiguous = false, string? Holder = null)
{
    /// <summary>With <see cref="ResolveStatus.Unhealthy"/>: the instance, or the first few of the domain.</summary>
    public IReadOnlyList<FailingInstance> Failing { get => field ?? []; init; }

    public static Resolution Unhealthy(IEnumerable<FailingInstance> failing) =>
        new(ResolveStatus.Unhealthy) { Failing = [.. failing.DistinctBy(instance => instance.Name).Take(FailingInstance.Most)] };
}

/// <summary>What the registry knows about a name.</summary>
internal enum ResolveStatus
{
    /// <summary>There is a stream to ask.</summary>
    Found,

    /// <summary>The name is registered, but no stream of it publishes the port.</summary>
    PortNotPublished,

    /// <summary>The port is published, but the service behind it fails the check of its agent, at each instance.</summary>
    Unhealthy,

    /// <summary>Every stream that publishes the port has been tried by this dial.</summary>
    Exhausted,

    /// <summary>The domain has instances, but not this one.</summary>
    NoSuchHost,

    /// <summary>Neither the name nor its domain is known.</summary>
    NoSuchDomain,

    /// <summary>No broker that answered knows the name, but one that did not answer may hold it.</summary>
    Unanswered,

    /// <summary>The name is not registered, and no more dials may wait for it.</summary>
    TooManyWaiters,
}

/// <summary>An instance whose streams that publish the port all fail its check.</summary>
/// <param name="Name">The instance.</param>
/// <param name="Failure">What its newest stream says.</param>
internal sealed record FailingInstance(string Name, PortFailure Failure)
{
    /// <summary>So many of a domain are told; one more than a dialer is, who then knows that there are more.</summary>
    public const int Most = 3;
}
