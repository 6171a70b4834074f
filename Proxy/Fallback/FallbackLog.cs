using System.Net;
using Microsoft.Extensions.Logging;

namespace Whip.Proxy.Fallback;

internal static partial class FallbackLog
{
    [LoggerMessage(406, LogLevel.Information, "{Host} is unknown to the brokers: connected to {Address} directly")]
    public static partial void WentDirect(ILogger logger, string host, IPAddress address);

    [LoggerMessage(407, LogLevel.Warning, "{Host} is unknown to the brokers and resolves to {Address}, which the fallback may not reach")]
    public static partial void DirectRefused(ILogger logger, string host, IPAddress address);
}
