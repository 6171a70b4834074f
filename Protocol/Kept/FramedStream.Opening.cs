using System.Buffers;
using Google.Protobuf;

namespace Whip.Protocol.Kept;

/// <summary>The frames with which a dial begins on an agent's leg: each is written and read whole.</summary>
internal abstract partial class FramedStream
{
    /// <param name="kind">Of the frame.</param>
    /// <param name="payload">Null: none.</param>
    /// <param name="cancellationToken">Resets.</param>
    protected async ValueTask WriteOpeningAsync(FrameKind kind, IMessage? payload, CancellationToken cancellationToken)
    {
        var length = payload?.CalculateSize() ?? 0;
        var frame = ArrayPool<byte>.Shared.Rent(FrameHeader.Size + length);
        new FrameHeader(kind, length).Write(frame);
        payload?.WriteTo(frame.AsSpan(FrameHeader.Size, length));
        await WriteFrameAsync(frame.AsMemory(0, FrameHeader.Size + length), cancellationToken).ConfigureAwait(false);
        ArrayPool<byte>.Shared.Return(frame);
    }

    /// <exception cref="IOException">The connection broke, or what came is no frame; it is reset.</exception>
    protected async ValueTask<FrameHeader> NextHeaderAsync(CancellationToken cancellationToken)
    {
        while (!await _frames.TryFillAsync(cancellationToken).ConfigureAwait(false))
        {
            await Leg.WaitReadableAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            _frames.CanTake = true;
        }

        return _frames.Next();
    }

    /// <summary>Reads the payload of a frame whose kind bounds it.</summary>
    /// <exception cref="IOException">It is no such message, or more has come behind it; the connection is reset.</exception>
    protected async ValueTask<T> ReadLastAsync<T>(FrameHeader header, MessageParser<T> parser, CancellationToken cancellationToken)
        where T : IMessage<T>
    {
        var payload = ArrayPool<byte>.Shared.Rent(FrameHeader.MaxOpen);
        try
        {
            for (var read = 0; read < header.Length;)
            {
                read += await _frames.TakeAsync(payload.AsMemory(read, header.Length - read), cancellationToken).ConfigureAwait(false);
            }

            return HasBytesBehind ? throw Broken($"sent more behind its {header.Kind}") : parser.ParseFrom(payload.AsSpan(0, header.Length));
        }
        catch (InvalidProtocolBufferException)
        {
            throw Broken($"sent {header.Kind} with what is not its message");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(payload);
        }
    }
}
