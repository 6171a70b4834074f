using Whip.Registry.Membership;

namespace Whip.Registry.Peers;

/// <summary>One other broker at one moment. Immutable.</summary>
/// <param name="Member">What the cluster's store tells of it.</param>
/// <param name="IsLinked">The link to it stands: it can be asked.</param>
/// <param name="IsSuspect">It owes an answer for too long, has no link or a stale lease: it is tried last.</param>
/// <param name="RoundTrip">Of its last ping; null before the first.</param>
internal sealed record Peer(BrokerMember Member, bool IsLinked, bool IsSuspect, TimeSpan? RoundTrip)
{
    public string Id => Member.Id;
}
