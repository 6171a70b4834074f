using Microsoft.Extensions.Logging;

namespace Whip.AspNetCore.Dials;

internal static partial class DialLog
{
    [LoggerMessage(390, LogLevel.Error, "the app failed when it was told that a connection is closed")]
    public static partial void CallbackFailed(ILogger log, Exception exception);
}
