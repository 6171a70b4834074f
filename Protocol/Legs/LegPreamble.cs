using System.Text;
using System.Text.Json;

namespace Whip.Protocol.Legs;

/// <summary>The first bytes of an agent's leg: the message ConnectionPreamble as protobuf JSON, which names the dial it is for.</summary>
internal static class LegPreamble
{
    /// <summary>The most a preamble may take before its closing brace; one of ours takes 56 bytes.</summary>
    public const int MaxLength = 4096;

    // The original sends 36 characters of a UUID, we send 32.
    private const int MaxIdLength = 64;

    public static byte[] Write(string connectionId) => Encoding.UTF8.GetBytes($$"""{"connectionID":"{{connectionId}}"}""");

    /// <summary>Reads byte-exact: what follows the closing brace stays in the leg.</summary>
    /// <exception cref="IOException">The leg broke.</exception>
    public static async ValueTask<PreambleResult> ReadAsync(Leg leg, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxLength];
        var scanner = new PreambleScanner();
        var length = 0;
        while (length < buffer.Length)
        {
            var read = await leg.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                return PreambleResult.Bad("the leg ended within its preamble");
            }

            var end = scanner.Scan(buffer.AsSpan(length, read));
            if (end < 0)
            {
                leg.Unread(buffer.AsSpan(0, length + read));
                return PreambleResult.Foreign;
            }

            if (end > 0)
            {
                leg.Unread(buffer.AsSpan(length + end, read - end));
                return Parse(buffer.AsSpan(0, length + end));
            }

            length += read;
        }

        return PreambleResult.Bad($"the preamble is longer than {MaxLength} bytes");
    }

    /// <summary>The connection that is named at the start of a leg; null if the preamble is none, or not whole.</summary>
    public static string? IdAt(ReadOnlySpan<byte> start) => new PreambleScanner().Scan(start) is > 0 and var end ? Parse(start[..end]).ConnectionId : null;

    /// <summary>Parses a whole preamble; protobuf JSON allows the field's JSON name and its own.</summary>
    public static PreambleResult Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.Name is "connectionID" or "connection_iD"
                    && property.Value.ValueKind == JsonValueKind.String
                    && property.Value.GetString() is { Length: > 0 and <= MaxIdLength } id)
                {
                    return new PreambleResult(id, "");
                }
            }

            return PreambleResult.Bad("the preamble names no connection");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return PreambleResult.Bad("the preamble is not JSON");
        }
    }
}

/// <summary>The connection a leg is for, or why it cannot be read.</summary>
/// <param name="ConnectionId">Null if it cannot.</param>
/// <param name="Problem">Why not.</param>
/// <param name="IsForeign">It is no preamble, and has been left on the leg: another protocol.</param>
internal readonly record struct PreambleResult(string? ConnectionId, string Problem, bool IsForeign = false)
{
    public static PreambleResult Foreign => new(null, "the leg does not begin with a JSON object", IsForeign: true);

    public static PreambleResult Bad(string problem) => new(null, problem);
}

/// <summary>
/// Finds the closing brace of the JSON object a leg begins with, however it arrives in pieces, so that not one byte behind it
/// is taken from the stream.
/// </summary>
internal struct PreambleScanner
{
    private int _depth;
    private bool _inString;
    private bool _escaped;

    /// <summary>
    /// Scans the next piece. Positive: the object ends before that offset. Zero: it continues. Negative: this is not a JSON object.
    /// </summary>
    public int Scan(ReadOnlySpan<byte> piece)
    {
        for (var i = 0; i < piece.Length; i++)
        {
            var c = piece[i];
            if (_inString)
            {
                _inString = _escaped || c != '"';
                _escaped = !_escaped && c == '\\';
            }
            else if (c == '{')
            {
                _depth++;
            }
            else if (_depth == 0)
            {
                return -1;
            }
            else if (c == '"')
            {
                _inString = true;
            }
            else if (c == '}' && --_depth == 0)
            {
                return i + 1;
            }
        }

        return 0;
    }
}
