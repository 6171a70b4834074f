using System.Text.Json;
using Whip.Protocol.Names;

namespace Whip.Protocol.Policy;

/// <summary>Reads the JSON of a dial policy. What is wrong is told by rule, key and what is allowed.</summary>
internal static class DialPolicyReader
{
    private const string Keys = "dialer, name, ports and allow";
    private const string Shape = "a policy is a JSON array of rules {\"dialer\", \"name\", \"ports\", \"allow\"}";

    private static readonly JsonDocumentOptions Json = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    private delegate bool GlobParser(string text, out NameGlob? glob, out string? problem);

    /// <exception cref="FormatException">The text is not valid.</exception>
    public static IReadOnlyList<DialRule> Read(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, Json);
            return document.RootElement.ValueKind == JsonValueKind.Array
                ? CheckOrder([.. document.RootElement.EnumerateArray().Select((rule, index) => ReadRule(rule, index + 1))])
                : throw new FormatException(Shape);
        }
        catch (JsonException error)
        {
            var where = text.AsSpan().IsWhiteSpace() ? "the file is empty" : $"not JSON at line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}";
            throw new FormatException($"{where}; {Shape}", error);
        }
        catch (InvalidOperationException error)
        {
            // JSON can escape half of a surrogate pair, which no text can hold.
            throw new FormatException($"a text in it has half of a \\u pair; {Shape}", error);
        }
    }

    /// <summary>The first rule that matches decides, so that one may leave nothing to another behind it.</summary>
    private static List<DialRule> CheckOrder(List<DialRule> rules)
    {
        foreach (var rule in rules)
        {
            if (rules.Take(rule.Number - 1).FirstOrDefault(earlier => earlier.Covers(rule)) is { } first)
            {
                throw new FormatException($"rule {rule.Number}: matches no dial: rule {first.Number}, before it, matches all of its dials");
            }
        }

        return rules;
    }

    private static DialRule ReadRule(JsonElement rule, int number)
    {
        if (rule.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException($"rule {number}: not an object with the keys {Keys}");
        }

        var values = new Dictionary<string, JsonElement>();
        foreach (var property in rule.EnumerateObject())
        {
            if (property.Name is not ("dialer" or "name" or "ports" or "allow"))
            {
                throw new FormatException($"rule {number}: {Printable.Clean(property.Name)}: not a key; the keys are {Keys}");
            }

            if (!values.TryAdd(property.Name, property.Value))
            {
                throw new FormatException($"rule {number}: {property.Name}: given twice");
            }
        }

        return new DialRule(
            number,
            ReadGlob(values, "dialer", NameGlob.TryOfCertificate, number),
            ReadGlob(values, "name", NameGlob.TryOfDialled, number),
            ReadPorts(values, number),
            ReadAllow(values, number));
    }

    private static NameGlob ReadGlob(Dictionary<string, JsonElement> values, string key, GlobParser parse, int number)
    {
        if (!values.TryGetValue(key, out var value) || value.ValueKind != JsonValueKind.String)
        {
            throw new FormatException($"rule {number}: {key}: must be a pattern in quotes; \"*\" is any");
        }

        var text = value.GetString()!;
        return parse(text, out var glob, out var problem) ? glob! : throw new FormatException($"rule {number}: {key}: \"{Printable.Clean(text)}\" {problem}");
    }

    private static List<int>? ReadPorts(Dictionary<string, JsonElement> values, int number)
    {
        if (!values.TryGetValue("ports", out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        List<int> ports = [];
        foreach (var item in value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : default)
        {
            ports.Add(item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var port) && port is > 0 and <= 65535 ? port : 0);
        }

        return ports.Count > 0 && !ports.Contains(0)
            ? ports
            : throw new FormatException($"rule {number}: ports: must be an array of numbers from 1 to 65535; leave ports out for all");
    }

    private static bool ReadAllow(Dictionary<string, JsonElement> values, int number) =>
        values.TryGetValue("allow", out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : throw new FormatException($"rule {number}: allow: must be true or false, without quotes");
}
