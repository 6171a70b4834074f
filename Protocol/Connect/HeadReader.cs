using System.Buffers;
using Whip.Protocol.Legs;

namespace Whip.Protocol.Connect;

/// <summary>Reads a head off a leg and leaves what follows it on the leg, unread.</summary>
internal static class HeadReader
{
    /// <summary>8 KiB, nginx's default for a large header; the dial front and the dialer hold each other to it.</summary>
    public const int DefaultLimit = 8 * 1024;

    public delegate HeadParse<THead> Parser<THead>(ReadOnlySpan<byte> buffer)
        where THead : class;

    /// <summary>
    /// What is no head stays on the leg. A result that is still <see cref="HeadParse{THead}.Incomplete"/> says that the peer ended the stream before
    /// its head was whole. No buffer is held before the peer has sent anything.
    /// </summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public static async ValueTask<HeadParse<THead>> ReadAsync<THead>(
        Leg leg, Parser<THead> parser, int limit = DefaultLimit, CancellationToken cancellationToken = default)
        where THead : class
    {
        await leg.ReadAsync(Memory<byte>.Empty, cancellationToken).ConfigureAwait(false);
        var buffer = ArrayPool<byte>.Shared.Rent(limit);
        try
        {
            for (var filled = 0; filled < limit;)
            {
                var read = await leg.ReadAsync(buffer.AsMemory(filled, limit - filled), cancellationToken).ConfigureAwait(false);
                if (read == 0)
                {
                    return HeadParse<THead>.Incomplete;
                }

                filled += read;
                var parse = parser(buffer.AsSpan(0, filled));
                if (!parse.IsIncomplete)
                {
                    leg.Unread(buffer.AsSpan(parse.Consumed..filled));
                }

                if (!parse.IsIncomplete)
                {
                    return parse;
                }
            }

            leg.Unread(buffer.AsSpan(0, limit));
            return HeadParse<THead>.Invalid($"the head is longer than {limit} bytes");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
