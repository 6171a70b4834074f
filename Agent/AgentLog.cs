using Microsoft.Extensions.Logging;
using Whip.Protocol.Names;

namespace Whip.Agent;

/// <summary>What the agent logs of itself; its folders log the rest of 300 to 399.</summary>
internal static partial class AgentLog
{
    [LoggerMessage(300, LogLevel.Information, "{Name} publishes {Ports} at {TargetHost}")]
    public static partial void Started(ILogger log, InstanceName name, string ports, string targetHost);

    [LoggerMessage(301, LogLevel.Information, "{Name} leaves its brokers; open relays may take {Seconds} s")]
    public static partial void Stopping(ILogger log, InstanceName name, double seconds);

    [LoggerMessage(302, LogLevel.Warning, "relays that were still open were reset")]
    public static partial void RelaysCut(ILogger log);
}
