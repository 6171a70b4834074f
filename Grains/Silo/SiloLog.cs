using Microsoft.Extensions.Logging;

namespace Whip.Grains.Silo;

/// <summary>What a broker logs of its silo; 650 to 699.</summary>
internal static partial class SiloLog
{
    [LoggerMessage(650, LogLevel.Information, "{Id} is silo {Address}")]
    public static partial void Started(ILogger log, string id, string address);

    [LoggerMessage(651, LogLevel.Warning, "{Id} is no silo: {Reason}; trying on, and asking the other brokers meanwhile")]
    public static partial void NotStarted(ILogger log, string id, string reason);

    [LoggerMessage(652, LogLevel.Warning, "{Id} is silo {Address} no more: {Reason}; it becomes another")]
    public static partial void Ended(ILogger log, string id, string address, string reason);

    [LoggerMessage(653, LogLevel.Information, "the silos that {Id} sees: {Silos}")]
    public static partial void Changed(ILogger log, string id, string silos);

    [LoggerMessage(654, LogLevel.Warning, "the silo at {Address} is refused, {Count} times in a row now: {Problem}; another CA, same --cluster-id?")]
    public static partial void Refused(ILogger log, string address, int count, string problem);
}
