namespace Whip.Broker.DialFront;

internal static partial class DialFrontLog
{
    [LoggerMessage(121, LogLevel.Information, "dial {Host}:{Port} from {Origin}: the dialer went away")]
    public static partial void DialerGone(ILogger logger, string host, int port, string origin);

    [LoggerMessage(122, LogLevel.Debug, "relay of {Host}:{Port} ended {End}, {ToAgent} bytes to the agent and {ToDialer} to the dialer; {Detail}")]
    public static partial void RelayEnded(ILogger logger, string host, int port, RelayEnd end, long toAgent, long toDialer, string detail);

    [LoggerMessage(123, LogLevel.Warning, "reset {Count} relays that were blocked for the longest time: those whose reader has stopped keep too much memory")]
    public static partial void BlockedReset(ILogger logger, int count);
}
