using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Whip.Hosting.Listening;

internal static partial class ListeningLog
{
    [LoggerMessage(60, LogLevel.Information, "{Listener} listener is full of connections that have not authenticated: the oldest, from {Remote}, was closed")]
    public static partial void Evicted(ILogger logger, string listener, IPEndPoint remote);

    [LoggerMessage(61, LogLevel.Warning, "{Listener} listener is out of descriptors ({Reason}) and pauses; raise the limit of open files")]
    public static partial void OutOfDescriptors(ILogger logger, string listener, SocketError reason);

    [LoggerMessage(62, LogLevel.Error, "A connection of the {Listener} listener failed unexpectedly")]
    public static partial void HandlerFailed(ILogger logger, Exception error, string listener);

    [LoggerMessage(63, LogLevel.Warning, "{Listener} listener closed a connection, because all {Size} descriptors are in use; raise the limit of open files")]
    public static partial void Full(ILogger logger, string listener, int size);

    [LoggerMessage(64, LogLevel.Warning, "{Listener} listener closed {Count} more connections in a minute for lack of descriptors")]
    public static partial void MoreFull(ILogger logger, string listener, int count);

    [LoggerMessage(65, LogLevel.Information, "{Listener} listener closed {Count} more connections in a minute that had not authenticated, for newer ones")]
    public static partial void MoreEvicted(ILogger logger, string listener, int count);

    [LoggerMessage(66, LogLevel.Information, "{Listener} listener refused {Count} more connections in a minute")]
    public static partial void MoreRefused(ILogger logger, string listener, int count);

    [LoggerMessage(68, LogLevel.Information, "{Listener} connection from {Remote} refused: {Reason}")]
    public static partial void Refused(ILogger logger, string listener, IPEndPoint remote, string reason);

    [LoggerMessage(
        67, LogLevel.Warning,
        "{Flag} \"{Address}\": the address is in use, though nobody listens there: an outgoing connection has the port; waiting for it until {Until:u}")]
    public static partial void WaitingForPort(ILogger logger, string flag, string address, DateTimeOffset until);
}
