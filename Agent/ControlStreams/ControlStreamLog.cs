using Microsoft.Extensions.Logging;
using Whip.Agent.Homes;
using Whip.Protocol.Names;

namespace Whip.Agent.ControlStreams;

internal static partial class ControlStreamLog
{
    [LoggerMessage(320, LogLevel.Information, "{Name} is registered at {Home}, broker {BrokerId}")]
    public static partial void Attached(ILogger log, InstanceName name, HomeAddress home, string brokerId);

    [LoggerMessage(305, LogLevel.Information, "{Home} has not refused {Name}, and has not confirmed it either: an original server does not")]
    public static partial void Unconfirmed(ILogger log, HomeAddress home, InstanceName name);

    [LoggerMessage(323, LogLevel.Information, "{Home} drains and is left")]
    public static partial void Draining(ILogger log, HomeAddress home);

    [LoggerMessage(324, LogLevel.Error, "the control stream to {Home} failed inside the agent")]
    public static partial void StreamFaulted(ILogger log, HomeAddress home, Exception exception);
}
