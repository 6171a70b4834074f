using System.Buffers;
using Whip.Protocol.Kept;

namespace Whip.Protocol.Legs;

/// <summary>
/// One direction of a relay. Idle, it holds no buffer. While a leg takes no more bytes, the buffer, whose bytes are encrypted by then if they have to be,
/// can be exchanged for a smaller one; other streams may use theirs until the write ends, and so have smaller ones from the start.
/// </summary>
internal sealed class RelayDirection
{
    // 256 KiB costs the least CPU per byte between plain sockets. With TLS the bytes of 128 KiB stay in the cache until they are sent.
    private const int PlainBufferSize = 256 * 1024;
    private const int TlsBufferSize = 128 * 1024;
    private const int ToOtherBufferSize = 64 * 1024;

    // What waits with a copy, if there is more: small pieces go on as small segments, and wake the next reader for each.
    private const int PieceSize = 32 * 1024;

    private readonly Relay _relay;
    private readonly RelayBuffers _buffers;
    private readonly Action<long>? _written;
    private readonly FramedStream? _framedTo;
    private readonly Leg? _fromLeg;
    private readonly Leg? _toLeg;
    private readonly int _size;
    private readonly int _most;

    // Before the bytes, for the header of a frame: a frame is written as it stands.
    private readonly int _room;
    private readonly Lock _lock = new();

    // What is not written yet. Owner: the pump, and the lock while the direction is blocked.
    private byte[] _buffer = [];
    private bool _isRented;
    private bool _isBlocked;
    private int _start;
    private int _end;

    // The size of the piece that waits with a copy; 0: what waits is the buffer itself.
    private int _piece;

    public RelayDirection(Relay relay, WhipStream from, WhipStream to, RelayBuffers buffers, Action<long>? written)
    {
        (_relay, From, To, _buffers, _written) = (relay, from, to, buffers, written);
        _framedTo = to as FramedStream;
        (_fromLeg, _toLeg) = (LegOf(from), LegOf(to));
        _room = _framedTo is null ? 0 : FrameHeader.Size;
        _size = _toLeg is null ? ToOtherBufferSize : _toLeg.IsTls || _fromLeg is not { IsTls: false } ? TlsBufferSize : PlainBufferSize;
        _most = _toLeg is { IsTls: true } ? Leg.MaxContent : FrameHeader.MaxData;
        Place = new LinkedListNode<RelayDirection>(this);
    }

    public WhipStream From { get; }

    public WhipStream To { get; }

    public long Bytes { get; private set; }

    /// <summary>A failure is that of <see cref="To"/>, not of <see cref="From"/>.</summary>
    public bool IsWriting { get; private set; }

    /// <summary>In the list of blocked ones. Owner: <see cref="RelayBuffers"/>.</summary>
    public LinkedListNode<RelayDirection> Place { get; }

    /// <inheritdoc cref="Place"/>
    public long BlockedSince { get; set; }

    /// <summary>Runs until the end of <see cref="From"/> has become that of <see cref="To"/>; throws when one of them fails.</summary>
    public async Task PumpAsync()
    {
        while (true)
        {
            IsWriting = false;
            await From.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false);
            (_buffer, _isRented) = (_buffers.Rent(_size), true);
            _fromLeg?.ReadAhead = Math.Max(_buffer.Length, RecordStream.LeastAhead);
            try
            {
                var read = await From.ReadAsync(_buffer.AsMemory(_room, Math.Min(_buffer.Length, _most) - _room)).ConfigureAwait(false);
                IsWriting = true;
                if (read == 0)
                {
                    await To.CompleteWritesAsync().ConfigureAwait(false);
                    IsWriting = false;
                    await From.DeliveredAsync(Broken).ConfigureAwait(false);
                    return;
                }

                (_start, _end) = (0, _room + read);
                _framedTo?.Frame(_buffer.AsSpan(0, _end));
                await WriteAsync().ConfigureAwait(false);
                Bytes += read;
                _relay.Passed();
                _written?.Invoke(read);
            }
            finally
            {
                Release();
            }
        }
    }

    // What a blocked write keeps besides: the piece that waits, and what was read ahead.
    private int KeptBeneath => _piece + (_fromLeg?.HeldBytes ?? 0);

    /// <summary>Keeps no more than what remains to be written.</summary>
    /// <returns>What the direction keeps, the piece that waits and TLS included; 0 if it is no longer blocked.</returns>
    public int Shrink()
    {
        lock (_lock)
        {
            if (_isBlocked && _piece > 0 && _end - _start < _buffer.Length)
            {
                var remaining = _buffer.AsSpan(_start, _end - _start).ToArray();
                _buffers.Count(remaining.Length);
                Release();
                (_buffer, _start, _end) = (remaining, 0, remaining.Length);
            }

            return _isBlocked ? _buffer.Length + KeptBeneath : 0;
        }
    }

    /// <summary>Resets the relay; the next look counts it no more, even if it has not ended by then.</summary>
    public void Reset(string reason)
    {
        SetBlocked(false);
        _relay.Fail(RelayEnd.Blocked, reason);
    }

    /// <summary>Beneath the frames, if there are any.</summary>
    private static Leg? LegOf(WhipStream stream) => stream is FramedStream framed ? framed.Leg : stream as Leg;

    private void Broken(string problem) => _relay.Broken(this, problem);

    private ValueTask WriteAsync()
    {
        if (_toLeg is null)
        {
            var write = To.WriteAsync(_buffer.AsMemory(0, _end));
            return write.IsCompletedSuccessfully ? write : WriteBlockedAsync(write);
        }

        return _toLeg.IsTls ? EncryptAndSendAsync(_toLeg) : SendAsync(_toLeg);
    }

    private async ValueTask EncryptAndSendAsync(Leg leg)
    {
        var records = _buffers.Rent(_end + Leg.RecordsOverhead, isLeast: true);
        var length = 0;
        try
        {
            length = await leg.EncryptAsync(_buffer.AsMemory(0, _end), records).ConfigureAwait(false);
        }
        finally
        {
            Release();
            (_buffer, _isRented, _end) = (records, true, length);
        }

        await SendAsync(leg).ConfigureAwait(false);
    }

    private ValueTask SendAsync(Leg leg)
    {
        _start = leg.TrySend(_buffer.AsSpan(0, _end));
        return _start == _end ? ValueTask.CompletedTask
            : WriteBlockedAsync(_buffer.Length > PieceSize ? SendPiecesAsync(leg) : leg.SendAsync(_buffer.AsMemory(_start, _end - _start)));
    }

    private async ValueTask WriteBlockedAsync(ValueTask write)
    {
        _fromLeg?.ShrinkReadAhead();
        SetBlocked(true);
        _buffers.Enter(this);
        try
        {
            await write.ConfigureAwait(false);
        }
        finally
        {
            _buffers.Leave(this);
            SetBlocked(false);
        }
    }

    private async ValueTask SendPiecesAsync(Leg leg)
    {
        var piece = ArrayPool<byte>.Shared.Rent(Math.Min(PieceSize, _end - _start));
        _piece = piece.Length;
        _buffers.Count(_piece);
        try
        {
            while (CopyNext(piece) is var count and > 0)
            {
                // The wait is with a copy, so that the buffer can be exchanged meanwhile; what follows goes as one piece when there is room again.
                await leg.SendAsync(piece.AsMemory(0, count)).ConfigureAwait(false);
                lock (_lock)
                {
                    _start += _start < _end ? leg.TrySend(_buffer.AsSpan(_start, _end - _start)) : 0;
                }
            }

            ArrayPool<byte>.Shared.Return(piece);
        }
        finally
        {
            _buffers.Count(-_piece);
            _piece = 0;
        }
    }

    private int CopyNext(Span<byte> piece)
    {
        lock (_lock)
        {
            var count = Math.Min(piece.Length, _end - _start);
            _buffer.AsSpan(_start, count).CopyTo(piece);
            _start += count;
            return count;
        }
    }

    private void SetBlocked(bool isBlocked)
    {
        lock (_lock)
        {
            _isBlocked = isBlocked;
        }
    }

    private void Release()
    {
        if (_isRented)
        {
            _isRented = false;
            _buffers.Return(_buffer);
        }
        else
        {
            _buffers.Count(-_buffer.Length);
        }

        _buffer = [];
    }
}
