using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Whip.Hosting.Logging;

/// <summary>One JSON object a line: time, level, category, id, event, message, the message's values as texts, exception.</summary>
internal sealed class JsonLogFormatter(TimeProvider time) : ConsoleFormatter("json")
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("time", LogText.Time(time));
            json.WriteString("level", LevelNames.Name(logEntry.LogLevel));
            json.WriteString("category", logEntry.Category);
            json.WriteNumber("id", logEntry.EventId.Id);
            json.WriteString("event", logEntry.EventId.Name);
            json.WriteString("message", LogText.Message(logEntry.Formatter(logEntry.State, logEntry.Exception)));
            WriteValues(json, logEntry.State as IReadOnlyList<KeyValuePair<string, object?>>);
            if (logEntry.Exception is { } exception)
            {
                json.WriteString("exception", LogText.Exception(exception));
            }

            json.WriteEndObject();
        }

        textWriter.Write(Encoding.UTF8.GetString(buffer.WrittenSpan));
        textWriter.Write('\n');
    }

    private static void WriteValues(Utf8JsonWriter json, IReadOnlyList<KeyValuePair<string, object?>>? values)
    {
        json.WriteStartObject("values");
        foreach (var (name, value) in values ?? [])
        {
            if (name != "{OriginalFormat}")
            {
                json.WriteString(name, LogText.Message(value?.ToString() ?? ""));
            }
        }

        json.WriteEndObject();
    }
}
