namespace Whip.Grains.Members;

internal static partial class MemberLog
{
    [LoggerMessage(203, LogLevel.Warning, "broker {BrokerId} is suspect: {Reason}")]
    public static partial void Suspect(ILogger log, string brokerId, string reason);

    [LoggerMessage(204, LogLevel.Information, "broker {BrokerId} answers again")]
    public static partial void TrustedAgain(ILogger log, string brokerId);

    [LoggerMessage(605, LogLevel.Information, "the brokers of the cluster: {Members}")]
    public static partial void Changed(ILogger log, string members);
}
