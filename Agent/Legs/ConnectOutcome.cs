namespace Whip.Agent.Legs;

/// <summary>How a Connect ended, as metrics tell it.</summary>
internal static class ConnectOutcome
{
    public const string Connected = "connected";
    public const string Refused = "refused";
    public const string Failed = "failed";
    public const string Cancelled = "cancelled";
}
