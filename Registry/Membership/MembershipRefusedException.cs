namespace Whip.Registry.Membership;

/// <summary>This broker cannot join; the message is one line that says why and what to change.</summary>
internal sealed class MembershipRefusedException(string message) : Exception(message);
