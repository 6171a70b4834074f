namespace Whip.Grains.Membership;

/// <summary>This broker cannot be a silo as it is set up; the message is one line that says why and what to change.</summary>
internal sealed class MembershipRefusedException(string message) : Exception(message);
