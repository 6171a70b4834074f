using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Whip.Hosting.Logging;

/// <summary><c>2026-11-23T04:00:00.000Z INF Whip.Broker message | exception</c>.</summary>
internal sealed class TextLogFormatter(TimeProvider time) : ConsoleFormatter("text")
{
    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = LogText.Message(logEntry.Formatter(logEntry.State, logEntry.Exception));
        textWriter.Write($"{LogText.Time(time)} {LevelNames.ShortName(logEntry.LogLevel)} {logEntry.Category} {message}");
        if (logEntry.Exception is { } exception)
        {
            textWriter.Write($" | {LogText.Exception(exception)}");
        }

        textWriter.Write('\n');
    }
}
