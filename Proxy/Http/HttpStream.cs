using System.Buffers;
using System.IO.Pipelines;
using Whip.Protocol.Connect;
using Whip.Protocol.Legs;

namespace Whip.Proxy.Http;

/// <summary>HTTP/1.1 on one stream, at either side of the proxy. Holds no buffer while it waits. One reader, one writer.</summary>
/// <param name="beneath">The connection to a client or an upstream.</param>
/// <param name="stream">TLS over it, or the connection itself.</param>
internal sealed class HttpStream(WhipStream beneath, Stream stream)
{
    private static readonly StreamPipeReaderOptions ReaderOptions = new(bufferSize: 16 * 1024, leaveOpen: true, useZeroByteReads: true);
    private static readonly StreamPipeWriterOptions WriterOptions = new(leaveOpen: true);

    private readonly PipeReader _input = PipeReader.Create(stream, ReaderOptions);
    private volatile bool _isInsideHead;

    public PipeWriter Output { get; private set; } = PipeWriter.Create(stream, WriterOptions);

    /// <summary>A read that was started to notice the other side's end; the next <see cref="ReadAsync"/> takes it over.</summary>
    public Task<ReadResult>? Ahead { get; private set; }

    /// <summary>The first bytes of a head have been read and more are awaited.</summary>
    public bool IsInsideHead => _isInsideHead;

    public Task<ReadResult> ReadAhead() => Ahead ??= _input.ReadAsync().AsTask();

    public ValueTask<ReadResult> ReadAsync()
    {
        if (Ahead is not { } ahead)
        {
            return _input.ReadAsync();
        }

        Ahead = null;
        return new(ahead);
    }

    /// <summary>The pending read, or the next one, ends as cancelled.</summary>
    public void CancelRead() => _input.CancelPendingRead();

    public void AdvanceTo(SequencePosition consumed) => _input.AdvanceTo(consumed);

    public void AdvanceTo(SequencePosition consumed, SequencePosition examined) => _input.AdvanceTo(consumed, examined);

    /// <summary>Null when the other side ended before a head, or the read was cancelled. Empty lines before a head are skipped.</summary>
    /// <exception cref="HttpFormatException">It is not a head, or longer than <paramref name="limit"/> bytes.</exception>
    public async ValueTask<HeadText?> ReadHeadAsync(int limit, bool isForeign = false)
    {
        while (true)
        {
            var result = await ReadAsync();
            var buffer = SkipEmptyLines(result.Buffer);
            var (head, consumed, problem) = HeadText.Parse(buffer.IsSingleSegment ? buffer.FirstSpan : buffer.ToArray(), isForeign);
            var length = head is null ? buffer.Length : consumed;
            AdvanceTo(buffer.GetPosition(consumed), head is null ? buffer.End : buffer.GetPosition(consumed));
            _isInsideHead = head is null && length > 0;
            if (problem is not null || length > limit)
            {
                throw problem is not null ? new HttpFormatException(problem) : new HttpFormatException($"its head is longer than {limit} bytes", status: 431);
            }

            if (head is not null || result.IsCanceled || (result.IsCompleted && length == 0))
            {
                return head;
            }

            if (result.IsCompleted)
            {
                throw new HttpFormatException("it ended inside a head");
            }
        }
    }

    /// <summary>Drops what was written to <see cref="Output"/> and not flushed.</summary>
    public void DropUnsent()
    {
        Output.Complete(new OperationCanceledException());
        Output = PipeWriter.Create(stream, WriterOptions);
    }

    /// <summary>Takes the bytes that were read from the connection and not used yet.</summary>
    public byte[] TakeUnread()
    {
        if (!_input.TryRead(out var result))
        {
            return [];
        }

        var unread = result.Buffer.ToArray();
        _input.AdvanceTo(result.Buffer.End);
        return unread;
    }

    /// <summary>The connection after HTTP: first the bytes that were read too far, then the stream itself.</summary>
    public WhipStream AsUpgraded() => new UpgradedStream(this, stream, beneath);

    /// <summary>Resets the connection; a pending read or write fails at once.</summary>
    public void Abort() => beneath.Abort();

    /// <summary>Ends the connection cleanly. A read ahead is cancelled first: to close a socket with a read pending resets it.</summary>
    public async ValueTask EndAsync()
    {
        if (Ahead is Task ahead)
        {
            CancelRead();
            await ahead.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await stream.DisposeAsync();
        await beneath.DisposeAsync();
    }

    private static ReadOnlySequence<byte> SkipEmptyLines(ReadOnlySequence<byte> buffer)
    {
        var reader = new SequenceReader<byte>(buffer);
        reader.AdvancePastAny((byte)'\r', (byte)'\n');
        return buffer.Slice(reader.Position);
    }
}
