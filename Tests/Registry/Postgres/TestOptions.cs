using Whip.Registry.Postgres;
using Whip.Tests.Support;

namespace Whip.Tests.Registry.Postgres;

internal static class TestOptions
{
    /// <summary>Judges within seconds.</summary>
    public static PostgresMembershipOptions Quick(string connectionString, string clusterId = "whip") => new()
    {
        ConnectionString = connectionString,
        ClusterId = clusterId,
        RenewInterval = TimeSpan.FromMilliseconds(100),
        SuspectAfter = TimeSpan.FromSeconds(2),
        DropAfter = TimeSpan.FromSeconds(4),
        Grace = TimeSpan.FromSeconds(1),
        RetryLeast = TimeSpan.FromMilliseconds(50),
        RetryMost = TimeSpan.FromMilliseconds(200),
    };

    /// <summary>
    /// Comes back within a second, and is in its grace for as long as a test lasts: any verdict on who is known is a mistake. Only a server
    /// that is to freeze, and so tells nobody that it is away, is given a short time to answer: a busy machine may need longer.
    /// </summary>
    public static PostgresMembershipOptions Calm(string connectionString, bool freezes = false) => new()
    {
        ConnectionString = connectionString,
        RenewInterval = TimeSpan.FromMilliseconds(100),
        SuspectAfter = TimeSpan.FromSeconds(1),
        DropAfter = TimeSpan.FromSeconds(2),
        Grace = TimeSpan.FromMinutes(5),
        Timeout = freezes ? TimeSpan.FromSeconds(1) : Patience.Long,
        RetryLeast = TimeSpan.FromMilliseconds(50),
        RetryMost = TimeSpan.FromMilliseconds(500),
    };
}
