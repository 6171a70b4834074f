using System.Net;

namespace Whip.Broker;

/// <summary>Log messages of the broker as a whole; its folders have the others of 100 to 299.</summary>
internal static partial class BrokerLog
{
    [LoggerMessage(140, LogLevel.Information, "broker {BrokerId} serves grpc={Grpc} tcp={Tcp} dial={Dial}; legs go to {ExternalTcp}")]
    public static partial void Started(ILogger logger, string brokerId, IPEndPoint grpc, IPEndPoint tcp, string dial, string externalTcp);

    [LoggerMessage(141, LogLevel.Information, "broker {BrokerId} drains: {Relays} relays have {Seconds} s to end")]
    public static partial void Draining(ILogger logger, string brokerId, int relays, double seconds);

    [LoggerMessage(142, LogLevel.Warning, "broker {BrokerId} resets {Relays} relays that outlived the drain")]
    public static partial void DrainCut(ILogger logger, string brokerId, int relays);

    [LoggerMessage(
        145, LogLevel.Warning,
        "the certificate ({Names}) does not cover the host of {Flag} {Address}: others refuse this broker there; add it by --hostname of whip pki")]
    public static partial void NotCovered(ILogger logger, string flag, HostPort address, string names);

    [LoggerMessage(144, LogLevel.Error, "a background loop of the broker failed")]
    public static partial void LoopFailed(ILogger logger, Exception error);
}
