using Microsoft.Extensions.Logging;

namespace Whip.Hosting.Programs;

internal static partial class ProgramLog
{
    [LoggerMessage(1, LogLevel.Information, "{Build} starts")]
    public static partial void Starting(ILogger logger, string build);

    [LoggerMessage(2, LogLevel.Information, "Serving: {Addresses}")]
    public static partial void Serving(ILogger logger, string addresses);

    [LoggerMessage(3, LogLevel.Information, "Stopping; a second signal stops at once")]
    public static partial void Stopping(ILogger logger);

    [LoggerMessage(4, LogLevel.Information, "Stopped")]
    public static partial void Stopped(ILogger logger);

    [LoggerMessage(5, LogLevel.Warning, "{Flag} {Address} is open to every network of this machine without TLS; anyone who reaches it is trusted")]
    public static partial void OpenWithoutTls(ILogger logger, string flag, string address);

    [LoggerMessage(8, LogLevel.Information, "SIGHUP: certificates, CAs, policy and deny list are read again")]
    public static partial void Reloading(ILogger logger);

    [LoggerMessage(7, LogLevel.Information, "Options: {Options}")]
    public static partial void Options(ILogger logger, string options);

    [LoggerMessage(9, LogLevel.Warning, "the ready line cannot be written to standard output: {Problem}")]
    public static partial void NoReadyLine(ILogger logger, string problem);

    [LoggerMessage(10, LogLevel.Information, "Brokers are reached through the proxy {Proxy}, by {Source}")]
    public static partial void WayOut(ILogger logger, string proxy, string source);

    [LoggerMessage(6, LogLevel.Critical, "Crashed")]
    public static partial void Crashed(ILogger logger, Exception exception);
}
