namespace Whip.Grains.Membership;

/// <summary>Log messages of the membership table; 660 to 669.</summary>
internal static partial class MembershipLog
{
    [LoggerMessage(660, LogLevel.Warning, "the table of silos lacked {Added} rows and was behind in {Raised}; mended, version {Version}")]
    public static partial void Mended(ILogger log, int added, int raised, int version);

    [LoggerMessage(661, LogLevel.Warning, "silo {Address} has no row in the table of silos, and no other silo lists it; its row is not put back")]
    public static partial void NotListed(ILogger log, string address);
}
