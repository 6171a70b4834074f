using System.Net.Sockets;

namespace Whip.Protocol.Legs;

/// <summary>
/// The bytes of a leg, beneath TLS if it has any. It remembers that the peer's FIN was read, which SslStream cannot tell from
/// close_notify: both are a clean zero to its caller. Does not own the socket.
/// </summary>
internal sealed class SocketStream(Socket socket) : NetworkStream(socket, ownsSocket: false)
{
    // As much as a few reads of a relay take.
    private const int MostInARow = 512 * 1024;

    // To wait for readiness by a peek: an empty receive completes on any stale readiness the runtime remembers, data or not.
    private readonly byte[] _peeked = new byte[1];

    // Read without a wait.
    private int _inARow;

    /// <summary>The peer ended the TCP stream, and TLS asked for more.</summary>
    public bool EndReached { get; private set; }

    /// <summary>The turn that TLS holds while it calls <c>ReadAsync</c> or <c>Read</c>, given up while these wait; null on a plain leg.</summary>
    public SemaphoreSlim? Turn { private get; set; }

    /// <summary>What waits for bytes goes on in a thread of the pool: it takes long, or is not ours.</summary>
    public bool LeavesEngine { private get; set; }

    /// <summary>The first byte without taking it; -1 when the peer ended before sending one.</summary>
    public async ValueTask<int> PeekAsync(CancellationToken cancellationToken)
    {
        try
        {
            var read = await Socket.ReceiveAsync(_peeked.AsMemory(), SocketFlags.Peek, cancellationToken).ConfigureAwait(false);
            return read == 0 ? -1 : _peeked[0];
        }
        catch (SocketException error)
        {
            throw Broken(error);
        }
    }

    /// <summary>Writes what the kernel takes at once. From the first call on only asynchronous reads and writes wait.</summary>
    /// <returns>How many bytes it took.</returns>
    /// <exception cref="IOException">The connection is broken.</exception>
    public int TryWrite(ReadOnlySpan<byte> buffer)
    {
        if (Socket.Blocking)
        {
            Socket.Blocking = false;
        }

        var sent = Socket.Send(buffer, SocketFlags.None, out var error);
        return error is SocketError.Success or SocketError.WouldBlock ? sent : throw Broken(new SocketException((int)error));
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Turn is null ? ReceiveAsync(buffer, cancellationToken) : ReceiveOutOfTurnAsync(Turn, buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
    {
        Turn?.Release();
        try
        {
            if (count == 0)
            {
                Socket.Receive(_peeked, SocketFlags.Peek);
                return 0;
            }

            var read = base.Read(buffer, offset, count);
            EndReached |= read == 0;
            return read;
        }
        catch (SocketException error)
        {
            throw Broken(error);
        }
        finally
        {
            Turn?.Wait();
        }
    }

    private static IOException Broken(SocketException error) => new(error.Message, error);

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

        var reading = base.ReadAsync(buffer, cancellationToken);
        var waits = !reading.IsCompleted;
        var read = await reading.ConfigureAwait(false);
        EndReached |= read == 0;
        _inARow = waits ? 0 : _inARow + read;
        if (LeavesEngine || _inARow > MostInARow)
        {
            // A peer that sends as fast as it is read would keep the engine from everyone else.
            _inARow = 0;
            await EngineThread.Leave();
        }

        return read;
    }
}
