using Microsoft.Extensions.Logging;
using Whip.Agent.Homes;
using Whip.Protocol.Legs;

namespace Whip.Agent.Legs;

internal static partial class LegLog
{
    [LoggerMessage(330, LogLevel.Warning, "{Home} is an original server, which announces no addresses for legs: any is allowed; this one is {LegHost}")]
    public static partial void AnyLegTarget(ILogger log, HomeAddress home, string legHost);

    [LoggerMessage(331, LogLevel.Warning, "refused a connect: {Reason}")]
    public static partial void Refused(ILogger log, string reason);

    [LoggerMessage(332, LogLevel.Information, "a connect failed: {Failure} ({Cause})")]
    public static partial void ConnectFailed(ILogger log, string failure, string cause);

    [LoggerMessage(336, LogLevel.Warning, "the broker refused the leg of a connect: {Reason}")]
    public static partial void LegRefused(ILogger log, string reason);

    [LoggerMessage(333, LogLevel.Error, "a connect failed inside the agent")]
    public static partial void ConnectFaulted(ILogger log, Exception exception);

    [LoggerMessage(334, LogLevel.Debug, "a relay to port {Port} ended: {End}, {BytesIn} bytes in, {BytesOut} out {Detail}")]
    public static partial void RelayEnded(ILogger log, int port, RelayEnd end, long bytesIn, long bytesOut, string detail);

    [LoggerMessage(335, LogLevel.Warning, "reset {Count} relays that were blocked for the longest time: those whose reader has stopped keep too much memory")]
    public static partial void BlockedReset(ILogger log, int count);

    [LoggerMessage(337, LogLevel.Warning, "refused {Count} more connects in a minute")]
    public static partial void MoreRefused(ILogger log, int count);
}
