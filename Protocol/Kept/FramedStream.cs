using System.Buffers;
using Whip.Protocol.Legs;

namespace Whip.Protocol.Kept;

/// <summary>
/// One dial on a kept connection: a stream whose bytes and ends are frames, so that the connection outlives it. Whatever the peer may not send in
/// the present state resets the connection. One reader and one writer at a time; <see cref="WhipStream.Abort"/> from any thread.
/// </summary>
internal abstract partial class FramedStream(Leg leg) : WhipStream
{
    // What the caller writes is copied behind a header; four TLS records, header included. A relay leaves room for the header instead.
    private const int CopiedFrame = 64 * 1024;

    private static readonly byte[] EndFrame = [(byte)FrameKind.End, 0, 0, 0];
    private static readonly byte[] DoneFrame = [(byte)FrameKind.Done, 0, 0, 0];
    private static readonly byte[] EndAndDoneFrames = [.. EndFrame, .. DoneFrame];

    private readonly Lock _lock = new();
    private readonly FrameReader _frames = new(leg);

    // Of the frame under way, what the caller has not got yet.
    private int _payload;
    private bool _isTaking;
    private bool _isWriting;
    private volatile bool _isDead;
    private volatile bool _isEnded;

    /// <summary>The connection.</summary>
    public Leg Leg => leg;

    /// <summary>Our direction has ended: the frame is written, or is being written.</summary>
    protected bool IsEnded => _isEnded;

    /// <summary>The peer's direction has ended, and everything of it was read.</summary>
    protected bool IsPeerEnded { get; private set; }

    /// <summary>Bytes of the connection were read behind the last frame.</summary>
    protected bool HasBytesBehind => _frames.HasBytes;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        TakeAsync(buffer, isLate: false, cancellationToken);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // Torn until all of it is written: a dispose meanwhile must not make an end of what is only its beginning.
        BeginWrite();
        while (buffer.Length > 0)
        {
            var length = Math.Min(buffer.Length, CopiedFrame - FrameHeader.Size);
            var frame = ArrayPool<byte>.Shared.Rent(FrameHeader.Size + length);
            new FrameHeader(FrameKind.Data, length).Write(frame);
            buffer.Span[..length].CopyTo(frame.AsSpan(FrameHeader.Size));
            await WriteFrameAsync(frame.AsMemory(0, FrameHeader.Size + length), cancellationToken).ConfigureAwait(false);
            ArrayPool<byte>.Shared.Return(frame);
            buffer = buffer[length..];
        }

        EndWrite();
    }

    /// <summary>Makes a frame of bytes that stand behind room for its header; the caller writes it to <see cref="Leg"/>, whole or not at all.</summary>
    public void Frame(Span<byte> frame)
    {
        ThrowIfEnded();
        new FrameHeader(FrameKind.Data, frame.Length - FrameHeader.Size).Write(frame);
    }

    /// <inheritdoc/>
    public override void Abort() => leg.Abort();

    internal override void OnReleased(Action callback) => leg.OnClosed(callback);

    /// <summary>Blocks the thread, for user code that is synchronous; Whip itself never calls it.</summary>
    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    /// <inheritdoc cref="Read(byte[], int, int)"/>
    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    /// <summary>From now on the caller's reads and writes throw, those under way included. False: they did before.</summary>
    /// <param name="isTorn">One of them is in the middle of a frame: the connection can only be reset.</param>
    protected bool TryDie(out bool isTorn)
    {
        lock (_lock)
        {
            isTorn = _isTaking || _isWriting;
            var isFirst = !_isDead;
            _isDead = true;
            return isFirst;
        }
    }

    /// <summary>Our direction ends now; <see cref="WriteEndAsync"/> has to follow. False: it has ended before.</summary>
    /// <param name="isLate">The caller's stream is dead.</param>
    protected bool TryEnd(bool isLate)
    {
        lock (_lock)
        {
            if (_isEnded)
            {
                return false;
            }

            ObjectDisposedException.ThrowIf(_isDead && !isLate, this);
            return _isEnded = _isWriting = true;
        }
    }

    /// <param name="isDone">The dial is done, which is said in the same write.</param>
    /// <param name="cancellationToken">Resets.</param>
    protected async ValueTask WriteEndAsync(bool isDone, CancellationToken cancellationToken)
    {
        await WriteFrameAsync(isDone ? EndAndDoneFrames : EndFrame, cancellationToken).ConfigureAwait(false);
        EndWrite();
    }

    protected ValueTask WriteDoneAsync(CancellationToken cancellationToken) => WriteFrameAsync(DoneFrame, cancellationToken);

    /// <summary>Reads the next frame, which must be the peer's <see cref="FrameKind.Done"/>.</summary>
    /// <exception cref="IOException">It is another, or the connection broke; it is reset.</exception>
    protected async ValueTask ReadDoneAsync(CancellationToken cancellationToken)
    {
        if (await NextHeaderAsync(cancellationToken).ConfigureAwait(false) is { Kind: not FrameKind.Done } other)
        {
            throw Broken($"sent {other.Kind} after both ends");
        }
    }

    /// <summary>Reads bytes of the dial; 0 for an empty buffer, or at the end of the peer's direction.</summary>
    /// <param name="buffer">Gets them.</param>
    /// <param name="isLate">The caller's stream is dead, and what comes is dropped.</param>
    /// <param name="cancellationToken">A wait that it ends has taken nothing from the connection; in the middle of a read it resets.</param>
    protected async ValueTask<int> TakeAsync(Memory<byte> buffer, bool isLate, CancellationToken cancellationToken)
    {
        BeginTake(isLate);
        try
        {
            while (true)
            {
                if (IsPeerEnded)
                {
                    return 0;
                }

                if (_payload == 0 && await _frames.TryFillAsync(cancellationToken).ConfigureAwait(false))
                {
                    Accept(_frames.Next());
                }
                else if (_payload > 0 && _frames.CanTake)
                {
                    var taken = await _frames.TakeAsync(buffer[..Math.Min(buffer.Length, _payload)], cancellationToken).ConfigureAwait(false);
                    _payload -= taken;
                    return taken;
                }
                else
                {
                    // Asked for in turn: a wait that is given up meanwhile is gone on with by the next.
                    var readable = leg.WaitReadableAsync();
                    EndTake();
                    await readable.WaitAsync(cancellationToken).ConfigureAwait(false);
                    BeginTake(isLate);
                    _frames.CanTake = true;
                }
            }
        }
        finally
        {
            EndTake();
        }
    }

    /// <summary>The peer's direction has ended: called once.</summary>
    protected virtual void OnPeerEnded()
    {
    }

    /// <summary>Resets the connection.</summary>
    protected IOException Broken(string problem)
    {
        leg.Abort();
        return new IOException($"the peer of a kept connection {problem}");
    }

    private void Accept(FrameHeader header)
    {
        switch (header.Kind)
        {
            case FrameKind.Data:
                _payload = header.Length;
                break;
            case FrameKind.End:
                IsPeerEnded = true;
                OnPeerEnded();
                break;
            default:
                throw Broken($"sent {header.Kind} during a dial");
        }
    }

    private async ValueTask WriteFrameAsync(ReadOnlyMemory<byte> frame, CancellationToken cancellationToken)
    {
        try
        {
            await leg.WriteAsync(frame, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // Part of the frame may have left.
            leg.Abort();
            throw;
        }
    }

    private void BeginTake(bool isLate)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDead && !isLate, this);
            _isTaking = true;
        }
    }

    private void EndTake() => Volatile.Write(ref _isTaking, false);

    private void BeginWrite()
    {
        lock (_lock)
        {
            ThrowIfEnded();
            _isWriting = true;
        }
    }

    private void EndWrite() => Volatile.Write(ref _isWriting, false);

    private void ThrowIfEnded()
    {
        ObjectDisposedException.ThrowIf(_isDead, this);
        if (_isEnded)
        {
            throw new InvalidOperationException("the writes of the stream have been completed");
        }
    }
}
