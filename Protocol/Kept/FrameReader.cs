using Whip.Protocol.Legs;

namespace Whip.Protocol.Kept;

/// <summary>
/// Reads headers of frames off a leg. It reads a few bytes ahead, so that a small frame costs one read; a payload goes straight to the caller's
/// buffer, and no buffer has a size that the peer names.
/// </summary>
internal sealed class FrameReader(Leg leg)
{
    private readonly byte[] _ahead = new byte[64];
    private int _start;
    private int _end;
    private bool _canRead;

    /// <summary>Bytes were read that nobody has taken.</summary>
    public bool HasBytes => _end > _start;

    /// <summary>A read does not have to wait for the peer. Set after <see cref="Leg.WaitReadableAsync"/>.</summary>
    public bool CanTake
    {
        get => HasBytes || _canRead;
        set => _canRead = value;
    }

    /// <summary>Reads ahead, if the leg can be read. True: <see cref="Next"/> has a header.</summary>
    /// <exception cref="IOException">The connection ended or broke; it is reset.</exception>
    public async ValueTask<bool> TryFillAsync(CancellationToken cancellationToken)
    {
        if (_end - _start < FrameHeader.Size && _canRead)
        {
            _ahead.AsSpan(_start, _end - _start).CopyTo(_ahead);
            (_start, _end) = (0, _end - _start);
            _end += await ReadAsync(_ahead.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        }

        return _end - _start >= FrameHeader.Size;
    }

    /// <exception cref="IOException">It is none; the connection is reset.</exception>
    public FrameHeader Next()
    {
        if (!FrameHeader.TryRead(_ahead.AsSpan(_start), out var header))
        {
            leg.Abort();
            throw new IOException("the peer of a kept connection sent what is not a frame");
        }

        _start += FrameHeader.Size;
        return header;
    }

    /// <summary>Takes bytes of a payload; none for an empty buffer.</summary>
    public async ValueTask<int> TakeAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (buffer.Length == 0)
        {
            return 0;
        }

        if (!HasBytes)
        {
            return await ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }

        var taken = Math.Min(buffer.Length, _end - _start);
        _ahead.AsSpan(_start, taken).CopyTo(buffer.Span);
        _start += taken;
        return taken;
    }

    private async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            var read = await leg.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            _canRead = false;
            if (read > 0)
            {
                return read;
            }
        }
        catch (OperationCanceledException)
        {
            // Part of a record may have been read.
            leg.Abort();
            throw;
        }

        leg.Abort();
        throw leg.Cut("the peer of a kept connection ended it inside a dial");
    }
}
