namespace Whip.Protocol.Admin;

/// <summary>What the dial policy says to one dialer.</summary>
/// <param name="HasFile">False: there is none, and everything is allowed.</param>
/// <param name="DialerNames">As whom; empty is a dialer without a certificate.</param>
/// <param name="IsAllowed">The verdict.</param>
internal sealed record PolicyVerdict(bool HasFile, IReadOnlyList<string> DialerNames, bool IsAllowed);
