using Microsoft.Extensions.Logging;
using Whip.Protocol.Dialing;
using Whip.Protocol.Names;

namespace Whip.Client.Forwarding;

/// <summary>The log of a <see cref="WhipForwarder"/>.</summary>
internal static partial class ForwarderLog
{
    [LoggerMessage(701, LogLevel.Warning, "a connection was reset, because the dial of {Target} failed: {Outcome}: {Reason}")]
    public static partial void DialFailed(ILogger logger, DialTarget target, DialOutcome outcome, string reason);

    [LoggerMessage(702, LogLevel.Warning, "{Count} more connections could not be joined to a dial in the last minute")]
    public static partial void MoreFailed(ILogger logger, int count);

    [LoggerMessage(703, LogLevel.Warning, "a SOCKS client was refused: {Problem}")]
    public static partial void SocksRefused(ILogger logger, string problem);

    [LoggerMessage(704, LogLevel.Warning, "a connection was reset, because {Count} are open: raise the limit of open files, or of connections")]
    public static partial void Full(ILogger logger, int count);

    [LoggerMessage(705, LogLevel.Warning, "{Count} more connections were reset in the last minute, because too many are open")]
    public static partial void MoreFull(ILogger logger, int count);

    [LoggerMessage(706, LogLevel.Error, "a connection ended with an error that is a fault of the forwarder")]
    public static partial void Faulted(ILogger logger, Exception error);
}
