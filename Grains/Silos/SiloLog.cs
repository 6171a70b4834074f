namespace Whip.Grains.Silos;

/// <summary>Log messages of a silo; 650 to 659.</summary>
internal static partial class SiloLog
{
    [LoggerMessage(650, LogLevel.Information, "{Id} is silo {Address}")]
    public static partial void Started(ILogger log, string id, string address);

    [LoggerMessage(651, LogLevel.Warning, "{Id} has no silo: {Problem}; retrying")]
    public static partial void Waiting(ILogger log, string id, string problem);

    [LoggerMessage(652, LogLevel.Warning, "{Id} has lost its silo {Address}: {Reason}; starting another")]
    public static partial void Ended(ILogger log, string id, string address, string reason);

    [LoggerMessage(653, LogLevel.Information, "the silos that {Id} sees: {Silos}")]
    public static partial void Changed(ILogger log, string id, string silos);

    [LoggerMessage(657, LogLevel.Information, "{Id} joins the cluster and waits: {Problem}")]
    public static partial void Joining(ILogger log, string id, string problem);

    [LoggerMessage(655, LogLevel.Warning, "{Problem}")]
    public static partial void Failure(ILogger log, string problem);

    [LoggerMessage(656, LogLevel.Warning, "{Count} more failures in a minute; --log-level debug shows them")]
    public static partial void MoreFailures(ILogger log, int count);

    [LoggerMessage(654, LogLevel.Warning, "the silo at {Address} is refused, {Count} times in a row now: {Problem}; another CA, same --cluster-id?")]
    public static partial void Refused(ILogger log, string address, int count, string problem);
}
