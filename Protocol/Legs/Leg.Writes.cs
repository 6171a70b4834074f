using System.Buffers;
using System.Net.Sockets;

namespace Whip.Protocol.Legs;

/// <summary>The writing side of a leg, and what <see cref="LegWatch"/> sees of it.</summary>
internal sealed partial class Leg
{
    /// <summary>What is encrypted at a time: seven whole records, which with their overhead fit into 128 KiB.</summary>
    public const int MaxContent = 7 * OneRecord;

    private const int OneRecord = 16 * 1024;

    /// <summary>How much longer records can be than so much content.</summary>
    public const int RecordsOverhead = 1024;

    private volatile bool _writing;
    private volatile bool _isWatched;
    private bool _writesCompleted;

    // Of what was encrypted.
    private int _unsent;

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
            if (_tls is null || buffer.Length <= OneRecord)
            {
                await Inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await WriteRecordsAsync(_tls, buffer, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception) when (_vanished is not null)
        {
            throw new IOException(_vanished);
        }

        // Left set by a failed write: TLS records may then be torn, and the leg can only be reset.
        _writing = false;
    }

    /// <summary>
    /// Encrypts bytes, <see cref="MaxContent"/> at most, into a buffer that is longer by <see cref="RecordsOverhead"/>. What they become is sent before
    /// anything else.
    /// </summary>
    /// <returns>How many bytes there are to send.</returns>
    /// <exception cref="IOException">The leg broke.</exception>
    public async ValueTask<int> EncryptAsync(ReadOnlyMemory<byte> bytes, byte[] records, CancellationToken cancellationToken = default)
    {
        BeginWrite();
        try
        {
            return _unsent = await _tls!.EncryptAsync(bytes, records, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception) when (_vanished is not null)
        {
            throw new IOException(_vanished);
        }
    }

    /// <summary>Sends what the kernel takes at once, of a plain leg's bytes or of what was encrypted; then only asynchronous reads and writes wait.</summary>
    /// <returns>How many bytes it took.</returns>
    /// <exception cref="IOException">The leg broke.</exception>
    public int TrySend(ReadOnlySpan<byte> bytes)
    {
        BeginWrite();
        try
        {
            var sent = _transport.TryWrite(bytes);
            EndWrite(sent);
            return sent;
        }
        catch (Exception) when (_vanished is not null)
        {
            throw new IOException(_vanished);
        }
    }

    /// <inheritdoc cref="TrySend"/>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken = default)
    {
        BeginWrite();
        try
        {
            await _transport.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception) when (_vanished is not null)
        {
            throw new IOException(_vanished);
        }

        EndWrite(bytes.Length);
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

    private async ValueTask WriteRecordsAsync(LegTls tls, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        while (buffer.Length > 0)
        {
            var piece = buffer[..Math.Min(buffer.Length, MaxContent)];
            var records = ArrayPool<byte>.Shared.Rent(piece.Length + RecordsOverhead);
            var length = await tls.EncryptAsync(piece, records, cancellationToken).ConfigureAwait(false);
            await _transport.WriteAsync(records.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
            ArrayPool<byte>.Shared.Return(records);
            buffer = buffer[piece.Length..];
        }
    }

    private void EndWrite(int sent)
    {
        _unsent = Math.Max(0, _unsent - sent);
        _writing = _unsent > 0;
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
