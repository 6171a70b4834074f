using System.Text.Json;
using Whip.Protocol.Options;

namespace Whip.Hosting.Flags;

/// <summary>The file that <c>--config</c> names: one JSON object whose keys are names of flags. Comments and trailing commas are allowed.</summary>
internal static class FlagConfig
{
    private const string Example = "{ \"log-level\": \"info\" }";

    private static readonly JsonDocumentOptions Options = new()
    {
        AllowDuplicateProperties = false,
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
    };

    internal readonly record struct Entry(string Source, IReadOnlyList<string> Texts);

    public static Dictionary<Flag, Entry> Read(FlagSet flags, string path)
    {
        try
        {
            using var document = Load(path);
            return Read(flags, path, document.RootElement);
        }
        catch (InvalidOperationException)
        {
            // JSON can escape half of a surrogate pair, which no text can hold.
            throw new WhipOptionException("--config", path, "a text in it has half of a \\u pair", Example);
        }
    }

    private static Dictionary<Flag, Entry> Read(FlagSet flags, string path, JsonElement root)
    {
        var known = flags.All.Where(f => f != flags.Config).ToDictionary(f => f.Name);
        var entries = new Dictionary<Flag, Entry>();
        foreach (var property in root.EnumerateObject())
        {
            var source = $"{path}: {property.Name}";
            var flag = known.GetValueOrDefault(property.Name)
                ?? throw new WhipOptionException(source, null, $"{flags.Name} has no such flag", $"{flags.Name} --help");
            entries[flag] = new Entry(source, flag.IsList ? ReadList(source, flag, property.Value) : [ReadOne(source, flag, property.Value)]);
        }

        return entries;
    }

    private static JsonDocument Load(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            var document = JsonDocument.Parse(file, Options);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document
                : throw new WhipOptionException("--config", path, "not a JSON object", Example);
        }
        catch (JsonException e)
        {
            var problem = e.LineNumber is { } line ? $"not JSON at line {line + 1}, byte {e.BytePositionInLine + 1}" : "not JSON: a key is given twice";
            throw new WhipOptionException("--config", path, problem, Example);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new WhipOptionException("--config", path, e.Message, "a file this user can read");
        }
    }

    private static string[] ReadList(string source, Flag flag, JsonElement value) =>
        value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(element => ReadOne(source, flag, element))]
            : throw new WhipOptionException(source, value.GetRawText(), "not a list", $"[{value.GetRawText()}]");

    private static string ReadOne(string source, Flag flag, JsonElement value)
    {
        var kind = value.ValueKind == JsonValueKind.False ? JsonValueKind.True : value.ValueKind;
        if (kind != flag.Json && !(flag.Json == Flag.NumberOrText && kind is JsonValueKind.Number or JsonValueKind.String))
        {
            var hint = flag.Json switch
            {
                JsonValueKind.True => "true or false without quotes",
                JsonValueKind.Number => "a number without quotes",
                Flag.NumberOrText => "a number without quotes, or a text in quotes",
                _ => "a text in quotes",
            };
            throw new WhipOptionException(source, $"{value}" is { Length: > 0 } text ? text : value.GetRawText(), "of the wrong type", hint);
        }

        return kind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
    }
}
