namespace Whip.Broker.Cluster;

internal static partial class ClusterLog
{
    [LoggerMessage(208, LogLevel.Warning, "{Flag} {Address} does not lead to this broker, which is not ready until it does: {Problem}")]
    public static partial void AnotherAnswers(ILogger logger, string flag, string address, string problem);

    [LoggerMessage(209, LogLevel.Warning, "{Flag} {Address} cannot be reached from here: {Problem}")]
    public static partial void CannotReachOurselves(ILogger logger, string flag, string address, string problem);

    [LoggerMessage(210, LogLevel.Information, "{Flag} {Address} leads to this broker")]
    public static partial void WeAnswer(ILogger logger, string flag, string address);
}
