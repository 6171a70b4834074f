using System.Net;
using Microsoft.Extensions.Logging;
using Whip.Protocol.Dialing;
using Whip.Protocol.Names;
using Whip.Protocol.Legs;

namespace Whip.Broker;

internal static partial class BrokerLog
{
    [LoggerMessage(110, LogLevel.Information, "{Listener} connection from {Remote} refused: {Reason}")]
    public static partial void LegRefused(ILogger logger, string listener, IPEndPoint remote, string reason);

    [LoggerMessage(111, LogLevel.Debug, "a leg of {Name} arrived from {Remote}")]
    public static partial void LegArrived(ILogger logger, InstanceName name, IPEndPoint remote);

    [LoggerMessage(EventId = 120, Message = "dial {Host}:{Port} from {Origin}: {Outcome} {Reason}")]
    public static partial void DialEnded(ILogger logger, LogLevel level, string host, int port, string origin, DialOutcome outcome, string reason);

    [LoggerMessage(121, LogLevel.Information, "dial {Host}:{Port} from {Origin}: the dialer went away")]
    public static partial void DialerGone(ILogger logger, string host, int port, string origin);

    [LoggerMessage(122, LogLevel.Debug, "relay of {Host}:{Port} ended {End}, {ToAgent} bytes to the agent and {ToDialer} to the dialer; {Detail}")]
    public static partial void RelayEnded(ILogger logger, string host, int port, RelayEnd end, long toAgent, long toDialer, string detail);

    [LoggerMessage(123, LogLevel.Warning, "{Name} is both an instance and a domain: it is dialled as the instance")]
    public static partial void Ambiguous(ILogger logger, string name);

    [LoggerMessage(130, LogLevel.Warning, "no --dial-policy: every certificate of the CA may dial everything")]
    public static partial void NoPolicy(ILogger logger);

    [LoggerMessage(131, LogLevel.Information, "dial policy {Path} is in force with {Rules} rules")]
    public static partial void PolicyLoaded(ILogger logger, string path, int rules);

    [LoggerMessage(132, LogLevel.Warning, "dial policy {Path} is refused and the one before it stays: {Problem}")]
    public static partial void PolicyRefused(ILogger logger, string path, string problem);

    [LoggerMessage(140, LogLevel.Information, "broker {BrokerId} serves grpc={Grpc} tcp={Tcp} dial={Dial}; legs go to {ExternalTcp}")]
    public static partial void Started(ILogger logger, string brokerId, IPEndPoint grpc, IPEndPoint tcp, string dial, string externalTcp);

    [LoggerMessage(141, LogLevel.Information, "broker {BrokerId} drains: {Relays} relays have {Seconds} s to end")]
    public static partial void Draining(ILogger logger, string brokerId, int relays, double seconds);

    [LoggerMessage(142, LogLevel.Warning, "broker {BrokerId} resets {Relays} relays that outlived the drain")]
    public static partial void DrainCut(ILogger logger, string brokerId, int relays);

    [LoggerMessage(144, LogLevel.Error, "a background loop of the broker failed")]
    public static partial void LoopFailed(ILogger logger, Exception error);
}
