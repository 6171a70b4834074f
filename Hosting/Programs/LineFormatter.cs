using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Whip.Protocol.Names;

namespace Whip.Hosting.Programs;

/// <summary>Writes each record as one printable line of limited length, as text or as a JSON object.</summary>
internal sealed class LineFormatter(string format, TimeProvider time) : ConsoleFormatter(format)
{
    public const string Text = "text";
    public const string Json = "json";

    /// <summary>The names of the levels in <c>--log-level</c> and in JSON.</summary>
    public static readonly string[] Levels = ["trace", "debug", "info", "warn", "error", "fatal"];

    private static readonly string[] ShortLevels = ["TRC", "DBG", "INF", "WRN", "ERR", "FTL"];

    private static readonly JsonSerializerOptions JsonOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var now = time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var message = Clean(logEntry.Formatter(logEntry.State, logEntry.Exception));
        var exception = logEntry.Exception is { } error ? OneLine(error) : null;
        textWriter.Write(Name == Text
            ? $"{now} {ShortLevels[(int)logEntry.LogLevel]} {logEntry.Category} {message}{(exception is null ? "" : $" | {exception}")}"
            : JsonSerializer.Serialize(
                new
                {
                    time = now,
                    level = Levels[(int)logEntry.LogLevel],
                    category = logEntry.Category,
                    id = logEntry.EventId.Id,
                    @event = logEntry.EventId.Name,
                    message,
                    values = Values(logEntry.State),
                    exception,
                },
                JsonOptions));
        textWriter.Write('\n');
    }

    /// <summary>As text, so that a value has the same type in every record.</summary>
    private static Dictionary<string, string> Values(object? state)
    {
        var values = new Dictionary<string, string>();
        foreach (var (name, value) in state as IReadOnlyList<KeyValuePair<string, object?>> ?? [])
        {
            if (name != "{OriginalFormat}")
            {
                values[name] = Clean(value?.ToString() ?? "");
            }
        }

        return values;
    }

    private static string Clean(string text) => Printable.Clean(text, maxLength: 4096);

    private static string OneLine(Exception exception)
    {
        var lines = exception.ToString().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return Printable.Clean(string.Join(" | ", lines), maxLength: 16384);
    }
}
