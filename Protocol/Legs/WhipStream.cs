namespace Whip.Protocol.Legs;

/// <summary>
/// One end-to-end TCP stream, plain or TLS, with a real half-close. A read of zero bytes into a non-empty buffer means the
/// other side ended its direction cleanly; a reset, a drain cut or a truncated TLS stream is an <see cref="IOException"/>.
/// A read into an empty buffer waits until a byte (or the end) can be read, and holds no memory meanwhile.
/// </summary>
public abstract class WhipStream : Stream
{
    /// <summary>Ends the write direction (FIN, or close_notify under TLS); reading goes on. Not beside a write. Idempotent.</summary>
    public abstract ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default);

    /// <summary>Resets the connection: the other side sees an error, never a clean end. Idempotent; callable from any thread.</summary>
    public abstract void Abort();
}
