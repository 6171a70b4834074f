using System.Net.Sockets;

namespace Whip.Protocol.Legs;

/// <summary>The writing side of a leg, and what <see cref="LegWatch"/> sees of it.</summary>
internal sealed partial class Leg
{
    private volatile bool _writing;
    private volatile bool _isWatched;
    private bool _writesCompleted;

    public bool HasEnded => Volatile.Read(ref _ended) != 0;

    /// <summary>A write is under way, or has failed.</summary>
    public bool IsWriting => _writing;

    /// <summary>Owner: <see cref="LegWatch"/>.</summary>
    public bool IsWatched
    {
        get => _isWatched;
        set => _isWatched = value;
    }

    /// <inheritdoc cref="IsWatched"/>
    public long SilentSince { get; set; }

    /// <inheritdoc cref="IsWatched"/>
    public uint SegmentsSeen { get; set; }

    /// <summary>Null when the leg has ended.</summary>
    public TcpProgress? Progress => TcpProgress.Of(_socket);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        BeginWrite();
        try
        {
            await Inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception) when (_vanished is not null)
        {
            throw new IOException(_vanished);
        }

        // Left set by a failed write: TLS records may then be torn, and the leg can only be reset.
        _writing = false;
    }

    /// <summary>Writes what the kernel takes at once; for a plain leg that is read and written asynchronously.</summary>
    /// <returns>How many bytes it took.</returns>
    /// <exception cref="IOException">The leg broke.</exception>
    public int TryWrite(ReadOnlySpan<byte> buffer)
    {
        BeginWrite();
        try
        {
            var written = _transport.TryWrite(buffer);
            _writing = false;
            return written;
        }
        catch (Exception) when (_vanished is not null)
        {
            throw new IOException(_vanished);
        }
    }

    public override async ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default)
    {
        if (_writesCompleted)
        {
            return;
        }

        _writesCompleted = true;
        BeginWrite();
        try
        {
            if (_tls is not null)
            {
                await _tls.ShutdownAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            else
            {
                _socket.Shutdown(SocketShutdown.Send);
            }
        }
        catch (SocketException error)
        {
            throw new IOException(error.Message, error);
        }
        finally
        {
            _writing = false;
        }
    }

    /// <summary>Resets the leg; reads and writes that were under way fail with the reason.</summary>
    public void Vanished(string reason)
    {
        _vanished = reason;
        Abort();
    }

    /// <inheritdoc cref="Read(byte[], int, int)"/>
    public override void Write(byte[] buffer, int offset, int count)
    {
        BeginWrite();
        Inner.Write(buffer, offset, count);
        _writing = false;
    }

    private void BeginWrite()
    {
        _writing = true;
        if (_watch is not null)
        {
            // Announced before the leg is seen to be watched: see LegWatch.LookAt.
            Interlocked.MemoryBarrier();
            if (!_isWatched)
            {
                _watch.Add(this);
            }
        }
    }
}
