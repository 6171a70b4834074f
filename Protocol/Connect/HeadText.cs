using System.Buffers;
using System.Globalization;
using System.Text;

namespace Whip.Protocol.Connect;

/// <summary>
/// A parsed head: the start line and its fields. Strict where two lenient readers could disagree:
/// no folding, no lone CR, no control bytes, no space in or after a name, no second copy of a field that is read.
/// </summary>
internal sealed class HeadText
{
    private const byte TlsAlertRecord = 0x15;
    private const byte TlsHandshakeRecord = 0x16;

    private static readonly SearchValues<byte> ControlBytes =
        SearchValues.Create([.. Enumerable.Range(0, 0x80).Where(b => (b < 0x20 && b is not ('\t' or '\r' or '\n')) || b == 0x7F).Select(b => (byte)b)]);

    public static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private readonly Dictionary<string, string> _fields = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<KeyValuePair<string, string>> _all = [];

    private HeadText(string startLine, int length) => (StartLine, Length) = (startLine, length);

    public string StartLine { get; }

    /// <summary>Its bytes, the empty line included.</summary>
    public int Length { get; }

    /// <summary>Every field in the order it was sent, with its name as it was written.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Fields => _all;

    /// <summary>A field that Whip reads; the others are in <see cref="Fields"/> only.</summary>
    public string? this[string name] => _fields.GetValueOrDefault(name);

    /// <summary>Every value of a field, in order.</summary>
    public string[] Values(string name) =>
        [.. _all.Where(field => field.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(field => field.Value)];

    /// <summary>The members of a field that is a list, of all its lines.</summary>
    public string[] Members(string name) =>
        [.. Values(name).SelectMany(value => value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];

    /// <summary>Finds the empty line that ends a head and reads the head before it, never a byte after it.</summary>
    /// <param name="buffer">Its beginning.</param>
    /// <param name="isForeign">
    /// It is the answer of a service that is not ours: where no reader can differ it is read as RFC 9112 allows a proxy to, with a space before a
    /// colon (section 5.1) and several equal lengths (section 6.3).
    /// </param>
    public static HeadParse<HeadText> Parse(ReadOnlySpan<byte> buffer, bool isForeign = false)
    {
        var end = FindEnd(buffer);
        var head = end < 0 ? buffer : buffer[..end];
        var control = head.IndexOfAny(ControlBytes);
        if (control >= 0)
        {
            return HeadParse<HeadText>.Invalid(head[0] is TlsAlertRecord or TlsHandshakeRecord
                ? "one side speaks TLS, the other does not"
                : $"not HTTP: byte 0x{head[control]:x2} in the head");
        }

        return end < 0 ? HeadParse<HeadText>.Incomplete : ParseLines(Encoding.Latin1.GetString(head), end, isForeign);
    }

    /// <summary>Reads decimal digits and nothing else, as every number in a head is written.</summary>
    public static bool TryParseNumber(ReadOnlySpan<char> text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    /// <summary>Reads <c>HTTP/1.1 200 OK</c>; the phrase and the space before it may be missing.</summary>
    public bool TryReadStatus(out int status)
    {
        status = 0;
        return StartLine is ['H', 'T', 'T', 'P', '/', '1', '.', '0' or '1', ' ', _, _, _, .. "" or [' ', ..]]
            && TryParseNumber(StartLine.AsSpan(9, 3), out status);
    }

    private static int FindEnd(ReadOnlySpan<byte> buffer)
    {
        var crlf = buffer.IndexOf("\n\r\n"u8);
        var lf = (crlf < 0 ? buffer : buffer[..(crlf + 1)]).IndexOf("\n\n"u8);
        return lf >= 0 ? lf + 2 : crlf >= 0 ? crlf + 3 : -1;
    }

    private static HeadParse<HeadText> ParseLines(string head, int end, bool isForeign)
    {
        HeadText? text = null;
        foreach (var range in head.AsSpan().Split('\n'))
        {
            var line = head.AsSpan()[range];
            line = line.EndsWith("\r") ? line[..^1] : line;
            if (line.Contains('\r'))
            {
                return HeadParse<HeadText>.Invalid("a lone CR in the head");
            }

            if (text is null)
            {
                text = new HeadText(line.ToString(), end);
            }
            else if (line.IsEmpty)
            {
                break;
            }
            else if (text.AddField(line, isForeign) is { } problem)
            {
                return HeadParse<HeadText>.Invalid(problem);
            }
        }

        return HeadParse<HeadText>.Complete(text!, end);
    }

    private static bool IsRead(string name) =>
        name.StartsWith("Whip-", StringComparison.OrdinalIgnoreCase) || IsLength(name) || IsEncoding(name);

    private static bool IsLength(string name) => name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase);

    private static bool IsEncoding(string name) => name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase);

    private string? AddField(ReadOnlySpan<char> line, bool isForeign)
    {
        var colon = line.IndexOf(':');
        var name = colon < 0 ? "" : line[..colon].TrimEnd(" \t").ToString();
        if (name.Length == 0 || name.AsSpan().ContainsAnyExcept(TokenCharacters))
        {
            return $"header line {_all.Count + 1} does not begin with a name and a colon";
        }

        if (name.Length < colon && (!isForeign || IsLength(name) || IsEncoding(name)))
        {
            return $"header {name} has a space before its colon";
        }

        var value = line[(colon + 1)..].Trim(" \t").ToString();
        _all.Add(new(name, value));
        return IsRead(name) && !_fields.TryAdd(name, value) && (!isForeign || IsEncoding(name))
            ? $"header {name} stands twice"
            : null;
    }
}

/// <summary>
/// What the bytes so far are: a whole head of <see cref="Consumed"/> bytes, something that cannot become a head (<see cref="Problem"/>, one
/// line that names the field at fault and quotes no value, which may be a secret), or, with neither, the beginning of a head.
/// </summary>
internal readonly record struct HeadParse<THead>(THead? Head, int Consumed, string? Problem)
    where THead : class
{
    public static HeadParse<THead> Incomplete => default;

    public bool IsIncomplete => Head is null && Problem is null;

    public static HeadParse<THead> Complete(THead head, int consumed) => new(head, consumed, null);

    public static HeadParse<THead> Invalid(string problem) => new(null, 0, problem);
}
