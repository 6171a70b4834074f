using System.Net;
using Microsoft.Extensions.Logging;
using Whip.Protocol.Legs;

namespace Whip.Proxy.Requests;

/// <summary>No line carries a path, a query or a header: they may hold secrets of the client.</summary>
internal static partial class ProxyLog
{
    [LoggerMessage(400, LogLevel.Warning, "no proxy password is set: listening on 127.0.0.1 only")]
    public static partial void LoopbackOnly(ILogger logger);

    [LoggerMessage(401, LogLevel.Information, "client {Client} closed: {Problem}")]
    public static partial void ClientRefused(ILogger logger, IPEndPoint client, string problem);

    [LoggerMessage(402, LogLevel.Information, "request {RequestId} from {Client}: {Method} {Target} answered {Status}")]
    public static partial void Answered(ILogger logger, string requestId, IPEndPoint client, string method, string target, int status);

    [LoggerMessage(403, LogLevel.Information, "request {RequestId} from {Client}: {Method} {Target} failed with {Status}: {Problem}")]
    public static partial void Failed(
        ILogger logger, string requestId, IPEndPoint client, string method, string target, int status, string problem);

    [LoggerMessage(404, LogLevel.Information, "request {RequestId} from {Client}: tunnel to {Target} open")]
    public static partial void TunnelOpened(ILogger logger, string requestId, IPEndPoint client, string target);

    [LoggerMessage(405, LogLevel.Information, "request {RequestId}: tunnel ended {End}, {BytesUp} bytes up, {BytesDown} down {Detail}")]
    public static partial void TunnelEnded(ILogger logger, string requestId, RelayEnd end, long bytesUp, long bytesDown, string detail);

    [LoggerMessage(408, LogLevel.Information, "request {RequestId} from {Client}: {Method} refused: {Problem}")]
    public static partial void Refused(ILogger logger, string requestId, IPEndPoint client, string method, string problem);

    [LoggerMessage(409, LogLevel.Information, "request {RequestId} from {Client}: broke off")]
    public static partial void BrokeOff(ILogger logger, string requestId, IPEndPoint client);

    [LoggerMessage(410, LogLevel.Error, "a background loop of the proxy failed")]
    public static partial void LoopFailed(ILogger logger, Exception error);

    [LoggerMessage(430, LogLevel.Warning, "reset {Count} tunnels that were blocked for the longest time: those whose reader has stopped keep too much memory")]
    public static partial void BlockedReset(ILogger logger, int count);
}
