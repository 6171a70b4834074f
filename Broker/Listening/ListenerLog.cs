using System.Net;

namespace Whip.Broker.Listening;

internal static partial class ListenerLog
{
    [LoggerMessage(110, LogLevel.Information, "{Listener} connection from {Remote} refused: {Reason}")]
    public static partial void LegRefused(ILogger logger, string listener, IPEndPoint remote, string reason);

    [LoggerMessage(112, LogLevel.Information, "the silo listener refused {Count} more certificates in a minute that are not of a broker of this cluster")]
    public static partial void MoreForeigners(ILogger logger, int count);

    [LoggerMessage(552, LogLevel.Information, "control connection from {Remote} refused: {Problem}")]
    public static partial void Refused(ILogger logger, IPEndPoint remote, string problem);
}
