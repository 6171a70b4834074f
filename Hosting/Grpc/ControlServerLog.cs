using System.Net;
using Microsoft.Extensions.Logging;

namespace Whip.Hosting.Grpc;

internal static partial class ControlServerLog
{
    [LoggerMessage(550, LogLevel.Error, "a control stream failed inside the broker")]
    public static partial void ServiceFailed(ILogger logger, Exception exception);

    [LoggerMessage(551, LogLevel.Information, "control connection from {Remote} dropped: too many have not registered, and this is the oldest")]
    public static partial void Evicted(ILogger logger, IPEndPoint remote);

    [LoggerMessage(552, LogLevel.Information, "control connection from {Remote} refused: {Problem}")]
    public static partial void Refused(ILogger logger, IPEndPoint remote, string problem);
}
