using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;

namespace Whip.Protocol.Grpc;

/// <summary>
/// Reads length-prefixed messages. The limit is enforced from the prefix, before the message is buffered.
/// <paramref name="malformed"/> is the status of bytes that are no message. One read at a time; after an exception the reader is done.
/// </summary>
internal sealed class FrameReader<T>(PipeReader pipe, MessageParser<T> parser, int maxMessageSize, GrpcStatusCode malformed)
    where T : class, IMessage<T>
{
    /// <returns>The next message; null at a clean end.</returns>
    /// <exception cref="GrpcStatusException">The bytes are not a message, or one above the limit.</exception>
    public async ValueTask<T?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await pipe.ReadAsync(cancellationToken).ConfigureAwait(false);
            var buffer = result.Buffer;
            if (TryReadFrame(buffer, out var payload))
            {
                var message = Parse(payload);
                pipe.AdvanceTo(payload.End);
                return message;
            }

            pipe.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted)
            {
                return buffer.IsEmpty ? null : throw Failure(malformed, "the stream ended inside a message");
            }
        }
    }

    private bool TryReadFrame(ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> payload)
    {
        payload = default;
        var reader = new SequenceReader<byte>(buffer);
        if (!reader.TryRead(out var flag))
        {
            return false;
        }

        if (flag != 0)
        {
            throw Failure(GrpcStatusCode.Internal, flag == 1 ? "a compressed message without an agreed encoding" : $"unknown message flag {flag}");
        }

        if (!reader.TryReadBigEndian(out int signed))
        {
            return false;
        }

        var size = (uint)signed;
        if (size > maxMessageSize)
        {
            throw Failure(GrpcStatusCode.ResourceExhausted, $"a message of {size} bytes is above the limit of {maxMessageSize}");
        }

        if (reader.Remaining < size)
        {
            return false;
        }

        payload = buffer.Slice(GrpcWire.PrefixSize, size);
        return true;
    }

    private T Parse(ReadOnlySequence<byte> payload)
    {
        try
        {
            return parser.ParseFrom(payload);
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw Failure(malformed, $"not a {parser.GetType().GenericTypeArguments[0].Name} message", exception);
        }
    }

    private static GrpcStatusException Failure(GrpcStatusCode code, string message, Exception? cause = null) =>
        new(new GrpcStatus(code, message), cause);
}
