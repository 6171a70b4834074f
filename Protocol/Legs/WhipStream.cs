namespace Whip.Protocol.Legs;

/// <summary>
/// One end-to-end TCP stream, plain or TLS, with a real half-close. A read of zero bytes into a non-empty buffer means the
/// other side ended its direction cleanly; a reset, a drain cut or a truncated TLS stream is an <see cref="IOException"/>.
/// A read into an empty buffer waits until a byte (or the end) can be read, and holds no memory meanwhile.
/// </summary>
public abstract class WhipStream : Stream
{
    /// <summary>Ends the write direction (FIN, or close_notify under TLS); reading continues. Not concurrently with a write. Idempotent.</summary>
    public abstract ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default);

    /// <summary>Resets the connection: the other side sees an error, never a clean end. Idempotent; callable from any thread.</summary>
    public abstract void Abort();

    /// <summary>Runs <paramref name="callback"/> once: when the stream has its connection no longer. Before the stream has a user.</summary>
    internal abstract void OnReleased(Action callback);

    /// <summary>Everything up to the end has been read from this stream and written on, the end too. Called once, by a relay.</summary>
    /// <param name="broken">To be called if the other side breaks its promise to say nothing more, while the relay goes on.</param>
    internal virtual ValueTask DeliveredAsync(Action<string> broken) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public abstract override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

    /// <inheritdoc/>
    public abstract override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default);

    /// <inheritdoc/>
    public sealed override bool CanRead => true;

    /// <inheritdoc/>
    public sealed override bool CanWrite => true;

    /// <summary>Always false.</summary>
    public sealed override bool CanSeek => false;

    /// <summary>Not supported.</summary>
    public sealed override long Length => throw new NotSupportedException();

    /// <summary>Not supported.</summary>
    public sealed override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Does nothing: what is written leaves at once.</summary>
    public sealed override void Flush()
    {
    }

    /// <inheritdoc cref="Flush"/>
    public sealed override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public sealed override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public sealed override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Not supported.</summary>
    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <summary>Not supported.</summary>
    public sealed override void SetLength(long value) => throw new NotSupportedException();
}
