using Microsoft.Extensions.Logging;
using Whip.Agent.Legs;

namespace Whip.Agent.Checks;

internal static partial class CheckLog
{
    [LoggerMessage(
        340, LogLevel.Warning, "the check {Check} of port {Port} fails, and dials of it are refused: {Reason} ({Target}: {Detail})")]
    public static partial void Fails(ILogger log, PortCheck check, int port, string reason, LocalTarget target, string detail);

    [LoggerMessage(341, LogLevel.Information, "the check {Check} of port {Port} passes again, after {Seconds:0.#} s")]
    public static partial void Passes(ILogger log, PortCheck check, int port, double seconds);

    [LoggerMessage(342, LogLevel.Error, "a check failed inside the agent")]
    public static partial void Faulted(ILogger log, Exception exception);
}
