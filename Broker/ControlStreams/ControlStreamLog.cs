using System.Net;
using Grpc.Core;

namespace Whip.Broker.ControlStreams;

internal static partial class ControlStreamLog
{
    [LoggerMessage(100, LogLevel.Information, "{Name} registered from {Remote}, stream {Stream}")]
    public static partial void Registered(ILogger logger, InstanceName name, IPEndPoint remote, string stream);

    [LoggerMessage(101, LogLevel.Information, "{Name} from {Remote} detached, stream {Stream}: {Code} {Reason}")]
    public static partial void Detached(ILogger logger, InstanceName name, IPEndPoint remote, string stream, StatusCode code, string reason);

    [LoggerMessage(102, LogLevel.Information, "registration from {Remote} refused: {Reason}")]
    public static partial void RegistrationRefused(ILogger logger, IPEndPoint remote, string reason);

    [LoggerMessage(104, LogLevel.Information, "refused {Count} more registrations in a minute")]
    public static partial void MoreRegistrationsRefused(ILogger logger, int count);

    [LoggerMessage(
        103, LogLevel.Warning, "two agents share the name {Name}: {Newest} is dialled first, {Older} when it fails; give one of them another hostname")]
    public static partial void TwoAgents(ILogger logger, InstanceName name, IPEndPoint newest, IPEndPoint older);

    [LoggerMessage(105, LogLevel.Information, "{Name} fails its {Check} check of port {Port}: {Reason}")]
    public static partial void Unhealthy(ILogger logger, InstanceName name, int port, string check, string reason);

    [LoggerMessage(106, LogLevel.Information, "{Name} passes its {Check} check of port {Port} again")]
    public static partial void Healthy(ILogger logger, InstanceName name, int port, string check);

    [LoggerMessage(107, LogLevel.Information, "the health of ports has changed {Count} more times in a minute")]
    public static partial void MoreHealth(ILogger logger, int count);

    [LoggerMessage(550, LogLevel.Error, "a control stream failed inside the broker")]
    public static partial void Failed(ILogger logger, Exception error);
}
