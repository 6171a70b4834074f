using System.Net.Sockets;

namespace Whip.Protocol.Legs;

/// <summary>
/// The bytes of a leg, beneath TLS if there is any. It remembers that the peer's FIN was read, which SslStream cannot tell from
/// close_notify: both are a clean zero to its caller. Does not own the socket.
/// </summary>
internal sealed class SocketStream(Socket socket) : Stream
{
    // To wait for readiness by a peek: an empty receive completes on any stale readiness the runtime remembers, data or not.
    private readonly byte[] _peeked = new byte[1];

    /// <summary>The peer ended the TCP stream, and TLS asked for more.</summary>
    public bool EndReached { get; private set; }

    /// <summary>The turn that TLS holds while it calls <c>ReadAsync</c> or <c>Read</c>, given up while these wait; null: there is none.</summary>
    public SemaphoreSlim? Turn { private get; set; }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Turn is null ? ReceiveAsync(buffer, cancellationToken) : ReceiveOutOfTurnAsync(Turn, buffer, cancellationToken);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            while (buffer.Length > 0)
            {
                buffer = buffer[await socket.SendAsync(buffer, SocketFlags.None, cancellationToken).ConfigureAwait(false)..];
            }
        }
        catch (SocketException error)
        {
            throw new IOException(error.Message, error);
        }
    }

    /// <summary>The first byte without taking it; -1 when the peer ended before sending one.</summary>
    public async ValueTask<int> PeekAsync(CancellationToken cancellationToken)
    {
        try
        {
            var read = await socket.ReceiveAsync(_peeked.AsMemory(), SocketFlags.Peek, cancellationToken).ConfigureAwait(false);
            return read == 0 ? -1 : _peeked[0];
        }
        catch (SocketException error)
        {
            throw new IOException(error.Message, error);
        }
    }

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
    {
        Turn?.Release();
        try
        {
            if (count == 0)
            {
                socket.Receive(_peeked, SocketFlags.Peek);
                return 0;
            }

            var read = socket.Receive(buffer, offset, count, SocketFlags.None);
            EndReached |= read == 0;
            return read;
        }
        catch (SocketException error)
        {
            throw new IOException(error.Message, error);
        }
        finally
        {
            Turn?.Wait();
        }
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        try
        {
            socket.Send(buffer, offset, count, SocketFlags.None);
        }
        catch (SocketException error)
        {
            throw new IOException(error.Message, error);
        }
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private async ValueTask<int> ReceiveOutOfTurnAsync(SemaphoreSlim turn, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        turn.Release();
        try
        {
            return await ReceiveAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (buffer.Length == 0)
        {
            await PeekAsync(cancellationToken).ConfigureAwait(false);
            return 0;
        }

        try
        {
            var read = await socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken).ConfigureAwait(false);
            EndReached |= read == 0;
            return read;
        }
        catch (SocketException error)
        {
            throw new IOException(error.Message, error);
        }
    }
}
