using System.Buffers;
using System.Buffers.Binary;

namespace Whip.Protocol.Legs;

/// <summary>
/// The stream under SslStream, which would read and write each record by system calls of its own. This one reads many records ahead, gives them out one
/// by one and whole, so that it is known what remains, and collects those that are written. While it waits it holds no more than part of a record.
/// </summary>
internal sealed class RecordStream(SocketStream transport) : Stream
{
    /// <summary>A whole record.</summary>
    public const int LeastAhead = 19 * 1024;

    private const int HeaderLength = 5;
    private const int LengthAt = 3;
    private const int MaxRecord = HeaderLength + (16 * 1024) + 2048;
    private const int OldestType = 20;
    private const int LatestType = 24;
    private const int MajorVersion = 3;

    // Shorter ones are not worth to be looked for, and may have no content.
    private const int LeastContent = 4 * 1024;

    // Header, content type and tag.
    private const int LeastOverhead = HeaderLength + 17;

    // Of the pool.
    private byte[] _ahead = [];
    private int _start;
    private int _end;

    // Of the record that is being taken.
    private int _left;
    private bool _endSeen;
    private bool _mayHaveMore;
    private byte[]? _collected;

    /// <summary>The peer ended the TCP stream, and TLS asked for more.</summary>
    public bool EndReached { get; private set; }

    /// <summary>
    /// The turn that TLS holds while it calls <see cref="ReadAsync(Memory{byte}, CancellationToken)"/>, given up while this waits; null: none.
    /// </summary>
    public SemaphoreSlim? Turn { private get; set; }

    /// <summary>How many bytes to read ahead, <see cref="LeastAhead"/> or more.</summary>
    public int ReadAhead { private get; set; } = LeastAhead;

    /// <summary>Of the buffer that is held.</summary>
    public int HeldBytes => _ahead.Length;

    /// <summary>How many bytes were collected.</summary>
    public int Collected { get; private set; }

    /// <summary>The length of a record that can be read without a wait, and is so long that it has content; 0 if there is none.</summary>
    public int NextContent => _left == 0 && RecordLength is >= LeastContent and var length && length <= _end - _start ? length - LeastOverhead : 0;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    // Of the next record; of what is no TLS, what there is; -1 if its header is not there.
    private int RecordLength
    {
        get
        {
            var next = _ahead.AsSpan(_start, _end - _start);
            if (next.Length < HeaderLength)
            {
                return -1;
            }

            var length = HeaderLength + BinaryPrimitives.ReadUInt16BigEndian(next[LengthAt..]);
            return next[0] is >= OldestType and <= LatestType && next[1] == MajorVersion && length <= MaxRecord ? length : next.Length;
        }
    }

    private bool CanTake => _endSeen || _left > 0 || (RecordLength is > 0 and var length && length <= _end - _start);

    /// <summary>Holds no more than what was read. Not concurrently with a read.</summary>
    public void Shrink()
    {
        if (_end == _start || _end - _start <= _ahead.Length / 2)
        {
            Move(_end - _start);
        }
    }

    /// <summary>From now on records are collected in the buffer instead of being written.</summary>
    public void Collect(byte[] buffer) => (_collected, Collected) = (buffer, 0);

    public void EndCollect() => _collected = null;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        CanTake ? new(Take(buffer.Span)) : FillAndTakeAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_collected is null)
        {
            return transport.WriteAsync(buffer, cancellationToken);
        }

        buffer.Span.CopyTo(_collected.AsSpan(Collected));
        Collected += buffer.Length;
        return ValueTask.CompletedTask;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private async ValueTask<int> FillAndTakeAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!CanTake)
        {
            if (!_mayHaveMore)
            {
                Shrink();
                await WaitAsync(cancellationToken).ConfigureAwait(false);
            }

            Fill();
        }

        if (transport.MustLeave())
        {
            await EngineThread.Leave();
        }

        return Take(buffer.Span);
    }

    private async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        Turn?.Release();
        try
        {
            await transport.PeekAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (Turn is not null)
            {
                await Turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Reads what is there.</summary>
    private void Fill()
    {
        if (_start > 0 || _ahead.Length < ReadAhead)
        {
            Move(ReadAhead);
        }

        var read = transport.TryRead(_ahead.AsSpan(_end, ReadAhead - _end));
        _endSeen = read == 0;
        _end += Math.Max(0, read);
        _mayHaveMore = _end == ReadAhead;
    }

    /// <summary>No further than to the end of the record.</summary>
    private int Take(Span<byte> buffer)
    {
        if (buffer.Length == 0)
        {
            return 0;
        }

        EndReached |= _endSeen && _start == _end;
        _left = _left > 0 ? _left : Math.Min(Math.Max(RecordLength, 0), _end - _start);
        _left = _endSeen && _left == 0 ? _end - _start : _left;
        var length = Math.Min(buffer.Length, _left);
        _ahead.AsSpan(_start, length).CopyTo(buffer);
        _left -= length;
        _start += length;
        if (_start == _end)
        {
            Move(0);
        }

        return length;
    }

    /// <summary>To a buffer of this size at least; of none, to none.</summary>
    private void Move(int size)
    {
        var ahead = size == 0 ? [] : ArrayPool<byte>.Shared.Rent(size);
        _ahead.AsSpan(_start, _end - _start).CopyTo(ahead);
        if (_ahead.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_ahead);
        }

        (_ahead, _start, _end) = (ahead, 0, _end - _start);
    }
}
