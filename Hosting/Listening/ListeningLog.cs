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
}
