using System.Net;
using Microsoft.Extensions.Logging;
using Whip.Agent.Homes;
using Whip.Protocol.Names;
using Whip.Protocol.Legs;

namespace Whip.Agent;

/// <summary>What the agent logs; 300 to 399.</summary>
internal static partial class AgentLog
{
    [LoggerMessage(300, LogLevel.Information, "{Name} publishes {Ports} at {TargetHost}")]
    public static partial void Started(ILogger log, InstanceName name, string ports, string targetHost);

    [LoggerMessage(301, LogLevel.Information, "{Name} leaves its brokers; open relays may take {Seconds} s")]
    public static partial void Stopping(ILogger log, InstanceName name, double seconds);

    [LoggerMessage(302, LogLevel.Warning, "relays that were still open were reset")]
    public static partial void RelaysCut(ILogger log);

    [LoggerMessage(303, LogLevel.Error, "the agent failed and may no longer work as it should")]
    public static partial void Faulted(ILogger log, Exception exception);

    [LoggerMessage(310, LogLevel.Information, "{Endpoint} is at {Addresses}")]
    public static partial void Resolved(ILogger log, BrokerEndpoint endpoint, string addresses);

    [LoggerMessage(311, LogLevel.Warning, "cannot look up {Endpoint}: {Reason}; keeping the {Known} addresses known")]
    public static partial void LookupFailed(ILogger log, BrokerEndpoint endpoint, string reason, int known);

    [LoggerMessage(320, LogLevel.Information, "{Name} is registered at {Home} {BrokerId}")]
    public static partial void Attached(ILogger log, InstanceName name, HomeAddress home, string brokerId);

    [LoggerMessage(321, LogLevel.Warning, "no control stream to {Home}: {Reason}{Advice}; retrying")]
    public static partial void Lost(ILogger log, HomeAddress home, string reason, string advice);

    [LoggerMessage(322, LogLevel.Debug, "still no control stream to {Home}: {Reason}; failure {Failures}, next try in {Seconds} s")]
    public static partial void StillLost(ILogger log, HomeAddress home, string reason, int failures, double seconds);

    [LoggerMessage(323, LogLevel.Information, "{Home} asks to be left")]
    public static partial void Draining(ILogger log, HomeAddress home);

    [LoggerMessage(324, LogLevel.Error, "the control stream to {Home} failed inside the agent")]
    public static partial void StreamFaulted(ILogger log, HomeAddress home, Exception exception);

    [LoggerMessage(325, LogLevel.Information, "{Address} leads to a broker that another address leads to; one control stream is kept")]
    public static partial void Alias(ILogger log, IPEndPoint address);

    [LoggerMessage(326, LogLevel.Information, "the brokers of the cluster are {Members}")]
    public static partial void Members(ILogger log, string members);

    [LoggerMessage(330, LogLevel.Warning, "{Home} is an original server, which announces no addresses for legs: any is allowed; this one is {LegHost}")]
    public static partial void AnyLegTarget(ILogger log, HomeAddress home, string legHost);

    [LoggerMessage(331, LogLevel.Warning, "refused a connect: {Reason}")]
    public static partial void Refused(ILogger log, string reason);

    [LoggerMessage(332, LogLevel.Information, "a connect failed: {Failure} ({Cause})")]
    public static partial void ConnectFailed(ILogger log, string failure, string cause);

    [LoggerMessage(333, LogLevel.Error, "a connect failed inside the agent")]
    public static partial void ConnectFaulted(ILogger log, Exception exception);

    [LoggerMessage(334, LogLevel.Debug, "a relay to port {Port} ended: {End}, {BytesIn} bytes in, {BytesOut} out {Detail}")]
    public static partial void RelayEnded(ILogger log, int port, RelayEnd end, long bytesIn, long bytesOut, string detail);
}
