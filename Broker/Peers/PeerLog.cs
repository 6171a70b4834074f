using System.Net;
using Microsoft.Extensions.Logging;

namespace Whip.Broker.Peers;

internal static partial class PeerLog
{
    [LoggerMessage(200, LogLevel.Information, "linked to broker {BrokerId} at {Address}")]
    public static partial void Linked(ILogger logger, string brokerId, string address);

    [LoggerMessage(201, LogLevel.Warning, "link to broker {BrokerId} at {Address} lost: {Problem}")]
    public static partial void Lost(ILogger logger, string brokerId, string address, string problem);

    [LoggerMessage(202, LogLevel.Warning, "no link to broker {BrokerId} at {Address}, it is tried on and on: {Problem}")]
    public static partial void NotLinked(ILogger logger, string brokerId, string address, string problem);

    [LoggerMessage(203, LogLevel.Warning, "broker {BrokerId} is suspect: it owes an answer for {Seconds} s")]
    public static partial void Suspect(ILogger logger, string brokerId, double seconds);

    [LoggerMessage(204, LogLevel.Information, "broker {BrokerId} answers again")]
    public static partial void TrustedAgain(ILogger logger, string brokerId);

    [LoggerMessage(205, LogLevel.Information, "link from {Remote} refused: {Problem}")]
    public static partial void Refused(ILogger logger, IPEndPoint remote, string problem);

    [LoggerMessage(206, LogLevel.Debug, "link from broker {BrokerId} at {Remote} stands")]
    public static partial void Answering(ILogger logger, string brokerId, IPEndPoint remote);

    [LoggerMessage(207, LogLevel.Error, "the link to broker {BrokerId} failed")]
    public static partial void LinkFailed(ILogger logger, string brokerId, Exception error);

    [LoggerMessage(208, LogLevel.Warning, "{Flag} {Address} does not lead to this broker, which is not ready until it does: {Problem}")]
    public static partial void AnotherAnswers(ILogger logger, string flag, string address, string problem);

    [LoggerMessage(209, LogLevel.Warning, "{Flag} {Address} cannot be reached from here: {Problem}")]
    public static partial void CannotReachOurselves(ILogger logger, string flag, string address, string problem);

    [LoggerMessage(210, LogLevel.Information, "{Flag} {Address} leads to this broker")]
    public static partial void WeAnswer(ILogger logger, string flag, string address);
}
