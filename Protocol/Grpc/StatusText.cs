using System.Globalization;
using System.Net.Http.Headers;
using System.Text;

namespace Whip.Protocol.Grpc;

/// <summary>grpc-status and grpc-message as header values.</summary>
internal static class StatusText
{
    /// <summary>A longer message is cut: it has to fit a peer's header limit even when every byte is escaped.</summary>
    private const int MaxBytes = 1024;

    public static string Code(GrpcStatusCode code) => ((int)code).ToString(CultureInfo.InvariantCulture);

    /// <summary>Percent-encodes the UTF-8 of <paramref name="message"/>, cut: what is not printable ASCII, and the percent sign.</summary>
    public static string Encode(string message)
    {
        var text = new StringBuilder(message.Length);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in Cut(message).EnumerateRunes())
        {
            foreach (var value in utf8[..rune.EncodeToUtf8(utf8)])
            {
                _ = value is >= 0x20 and <= 0x7E and not (byte)'%' ? text.Append((char)value) : text.Append($"%{value:X2}");
            }
        }

        return text.ToString();
    }

    public static string Cut(string message)
    {
        var bytes = 0;
        var length = 0;
        foreach (var rune in message.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > MaxBytes)
            {
                return message[..length];
            }

            length += rune.Utf16SequenceLength;
        }

        return message;
    }

    /// <summary>Undoes <see cref="Encode"/>; an escape that is none stays as it is, a control character becomes '?'.</summary>
    public static string Decode(string encoded)
    {
        var utf8 = new byte[Encoding.UTF8.GetMaxByteCount(encoded.Length)];
        var length = 0;
        for (var i = 0; i < encoded.Length; i++)
        {
            if (encoded[i] == '%' && i + 2 < encoded.Length
                && byte.TryParse(encoded.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                utf8[length++] = value;
                i += 2;
            }
            else
            {
                length += Encoding.UTF8.GetBytes(encoded.AsSpan(i, 1), utf8.AsSpan(length));
            }
        }

        return string.Concat(Encoding.UTF8.GetString(utf8, 0, length).Select(c => char.IsControl(c) ? '?' : c));
    }

    /// <summary>The status of a response: in its trailers, or in its head when it has nothing else; null when it has none, or none yet.</summary>
    public static GrpcStatus? Of(HttpResponseMessage response) => Of(response.TrailingHeaders) ?? Of(response.Headers);

    /// <summary>The status in a peer's headers or trailers; null when it is not there.</summary>
    public static GrpcStatus? Parse(string? code, string? message)
    {
        if (code is null)
        {
            return null;
        }

        var known = int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && Enum.IsDefined((GrpcStatusCode)value);
        return known
            ? new GrpcStatus((GrpcStatusCode)value, Decode(message ?? ""))
            : new GrpcStatus(GrpcStatusCode.Unknown, $"unknown status '{code}' {Decode(message ?? "")}".TrimEnd());
    }

    private static GrpcStatus? Of(HttpResponseHeaders headers) =>
        Parse(Header(headers, GrpcWire.StatusHeader), Header(headers, GrpcWire.MessageHeader));

    private static string? Header(HttpResponseHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;
}
