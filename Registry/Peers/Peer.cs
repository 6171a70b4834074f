using Whip.Registry.Membership;

namespace Whip.Registry.Peers;

/// <summary>One other broker at one moment. Immutable.</summary>
/// <param name="Member">What the cluster's store tells of it.</param>
/// <param name="IsLinked">The link to it stands: it can be asked.</param>
/// <param name="IsSilent">It owes an answer on the link for too long: it is asked, but not waited for.</param>
/// <param name="RoundTrip">Of its last ping; null before the first.</param>
internal sealed record Peer(BrokerMember Member, bool IsLinked, bool IsSilent, TimeSpan? RoundTrip)
{
    /// <summary>It has no link, is silent or has a stale lease: it is tried last.</summary>
    public bool IsSuspect => !IsLinked || IsSilent || Member.IsSuspect;

    /// <summary>An answer is to be expected of it, whatever the cluster's store says.</summary>
    public bool Answers => IsLinked && !IsSilent;

    public string Id => Member.Id;
}
