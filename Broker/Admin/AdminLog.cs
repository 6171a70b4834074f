using System.Net;

namespace Whip.Broker.Admin;

internal static partial class AdminLog
{
    [LoggerMessage(150, LogLevel.Warning, "an admin request from {Remote} was refused with {Status} (401: a wrong admin token or none)")]
    public static partial void Refused(ILogger logger, IPAddress? remote, int status);

    [LoggerMessage(151, LogLevel.Warning, "{Count} more admin requests were refused in a minute")]
    public static partial void MoreRefused(ILogger logger, int count);
}
