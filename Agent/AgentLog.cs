using Microsoft.Extensions.Logging;
using Whip.Protocol.Names;

namespace Whip.Agent;

/// <summary>What the agent logs of itself; its folders log the rest of 300 to 399.</summary>
internal static partial class AgentLog
{
    [LoggerMessage(300, LogLevel.Information, "{Name} publishes {Ports}")]
    public static partial void Started(ILogger log, InstanceName name, string ports);

    [LoggerMessage(301, LogLevel.Information, "{Name} leaves its brokers; open relays may take {Seconds} s")]
    public static partial void Stopping(ILogger log, InstanceName name, double seconds);

    [LoggerMessage(
        304, LogLevel.Warning,
        "the certificate ({Names}) has serverAuth, as a broker's: who has its key can pose as a broker; whip pki createandsign client makes one for agents")]
    public static partial void BrokersCertificate(ILogger log, string names);

    [LoggerMessage(302, LogLevel.Warning, "relays that were still open were reset")]
    public static partial void RelaysCut(ILogger log);
}
