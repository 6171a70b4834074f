using System.Buffers;
using System.IO.Pipelines;

namespace Whip.Broker.Listening;

/// <summary>The protocol of a connection by its first bytes.</summary>
internal enum FirstBytes
{
    /// <summary>It ended before it sent anything.</summary>
    None,

    Tls,

    /// <summary>The preface of HTTP/2, without TLS.</summary>
    Http2,

    /// <summary>A method in capitals, without TLS.</summary>
    Http1,

    /// <summary>A JSON object, as the leg of an agent begins.</summary>
    Leg,

    Other,
}

/// <summary>Reads the first bytes of a connection without consuming them.</summary>
internal static class FirstBytesReader
{
    private const byte TlsHandshake = 0x16;

    private static ReadOnlySpan<byte> Http2Preface => "PRI"u8;

    public static async ValueTask<FirstBytes> PeekAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken);
            var first = Classify(result.Buffer, result.IsCompleted);
            input.AdvanceTo(result.Buffer.Start, first is null ? result.Buffer.End : result.Buffer.Start);
            if (first is { } known)
            {
                return known;
            }
        }
    }

    /// <returns>Null: more bytes are needed.</returns>
    private static FirstBytes? Classify(ReadOnlySequence<byte> buffer, bool isLast)
    {
        Span<byte> start = stackalloc byte[(int)Math.Min(buffer.Length, Http2Preface.Length)];
        buffer.Slice(0, start.Length).CopyTo(start);
        if (start.IsEmpty)
        {
            return isLast ? FirstBytes.None : null;
        }

        if (start.SequenceEqual(Http2Preface[..start.Length]))
        {
            return start.Length == Http2Preface.Length ? FirstBytes.Http2 : isLast ? FirstBytes.Other : null;
        }

        return start[0] == TlsHandshake ? FirstBytes.Tls
            : char.IsAsciiLetterUpper((char)start[0]) ? FirstBytes.Http1
            : start[0] == '{' ? FirstBytes.Leg
            : FirstBytes.Other;
    }
}
