namespace Whip.Broker.Dialing;

internal static partial class DialLog
{
    [LoggerMessage(EventId = 120, Message = "dial {Host}:{Port} from {Origin}: {Outcome} {Reason}")]
    public static partial void DialEnded(ILogger logger, LogLevel level, string host, int port, string origin, DialOutcome outcome, string reason);

    [LoggerMessage(125, LogLevel.Warning, "{Name} is both an instance and a domain: it is dialled as the instance")]
    public static partial void Ambiguous(ILogger logger, string name);

    [LoggerMessage(124, LogLevel.Information, "{Count} more dials were refused as overloaded in a minute")]
    public static partial void MoreRefused(ILogger logger, int count);

    [LoggerMessage(126, LogLevel.Information, "a kept leg of {Name} was stale, and the dial goes on with a new one: {Problem}")]
    public static partial void StaleLeg(ILogger logger, InstanceName name, string problem);
}
