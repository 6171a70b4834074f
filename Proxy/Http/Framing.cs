using System.Globalization;
using Whip.Protocol.Connect;

namespace Whip.Proxy.Http;

/// <summary>Where a body ends (RFC 9112 section 6): after <see cref="Length"/> bytes, with its last chunk, or with the connection.</summary>
internal readonly record struct Framing
{
    public static readonly Framing None = new() { Length = 0 };
    public static readonly Framing Chunked = new() { IsChunked = true };
    public static readonly Framing ToEnd;

    public bool IsChunked { get; private init; }

    public long? Length { get; private init; }

    public bool IsEmpty => Length == 0;

    public bool EndsWithConnection => Length is null && !IsChunked;

    /// <summary>What the fields of <paramref name="head"/> say; null when they say nothing.</summary>
    /// <param name="head">Of a request or an answer.</param>
    /// <param name="isHttp10">It has no chunks.</param>
    /// <param name="contentLength">As one value.</param>
    /// <exception cref="HttpFormatException">They cannot be read in one way only.</exception>
    public static Framing? Of(HeadText head, bool isHttp10, string? contentLength)
    {
        if (head["Transfer-Encoding"] is { } encoding)
        {
            return !isHttp10 && encoding.Equals("chunked", StringComparison.OrdinalIgnoreCase)
                ? Chunked
                : throw new HttpFormatException("its Transfer-Encoding is not plain chunked");
        }

        return contentLength is not { } text ? null
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? new Framing { Length = length }
            : throw new HttpFormatException("its Content-Length is not a number");
    }
}
