using System.Net.Sockets;

namespace Whip.Protocol.Legs;

/// <summary>The bytes of a leg, beneath TLS if it has any. Does not own the socket.</summary>
internal sealed class SocketStream(Socket socket) : NetworkStream(socket, ownsSocket: false)
{
    // As much as a few reads of a relay take.
    private const int MostInARow = 512 * 1024;

    // To wait for readiness by a peek: an empty receive completes on any stale readiness the runtime remembers, data or not.
    private readonly byte[] _peeked = new byte[1];

    // What a peek has found and no read has taken: not to be asked for again.
    private int? _first;

    // Read since the last wait.
    private int _inARow;

    /// <summary>What waits for bytes goes on in a thread of the pool: it takes long, or is not Whip's own.</summary>
    public bool LeavesEngine { private get; set; }

    /// <summary>The first byte without taking it; -1 when the peer ended before sending one.</summary>
    public async ValueTask<int> PeekAsync(CancellationToken cancellationToken)
    {
        if (_first is { } first)
        {
            return first;
        }

        try
        {
            var reading = Socket.ReceiveAsync(_peeked.AsMemory(), SocketFlags.Peek, cancellationToken);
            _inARow = reading.IsCompleted ? _inARow : 0;
            first = await reading.ConfigureAwait(false) == 0 ? -1 : _peeked[0];
            _first = first;
            return first;
        }
        catch (SocketException error)
        {
            throw Broken(error);
        }
    }

    /// <summary>
    /// The reader has to leave the engine now: always, or because its peer sends as fast as it is read, and would keep the engine from everyone else.
    /// </summary>
    public bool MustLeave()
    {
        if (_inARow <= MostInARow)
        {
            return LeavesEngine;
        }

        _inARow = 0;
        return true;
    }

    /// <summary>Reads what is there. From the first call of this or <see cref="TryWrite"/> on only asynchronous reads and writes wait.</summary>
    /// <returns>How many bytes; 0 when the peer has ended; -1 when nothing is there.</returns>
    /// <exception cref="IOException">The connection is broken.</exception>
    public int TryRead(Span<byte> buffer)
    {
        Unblock();
        _first = null;
        var read = Socket.Receive(buffer, SocketFlags.None, out var error);
        _inARow += read;
        return error switch
        {
            SocketError.Success => read,
            SocketError.WouldBlock => -1,
            _ => throw Broken(new SocketException((int)error)),
        };
    }

    /// <summary>Writes what the kernel takes at once.</summary>
    /// <returns>How many bytes it took.</returns>
    /// <exception cref="IOException">The connection is broken.</exception>
    public int TryWrite(ReadOnlySpan<byte> buffer)
    {
        Unblock();
        var sent = Socket.Send(buffer, SocketFlags.None, out var error);
        return error is SocketError.Success or SocketError.WouldBlock ? sent : throw Broken(new SocketException((int)error));
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length == 0)
        {
            await PeekAsync(cancellationToken).ConfigureAwait(false);
            return 0;
        }

        _first = null;
        var reading = base.ReadAsync(buffer, cancellationToken);
        _inARow = reading.IsCompleted ? _inARow : 0;
        var read = await reading.ConfigureAwait(false);
        _inARow += read;
        if (MustLeave())
        {
            await EngineThread.Leave();
        }

        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
    {
        if (count == 0)
        {
            PeekAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
            return 0;
        }

        _first = null;
        return base.Read(buffer, offset, count);
    }

    private static IOException Broken(SocketException error) => new(error.Message, error);

    private void Unblock()
    {
        if (Socket.Blocking)
        {
            Socket.Blocking = false;
        }
    }
}
