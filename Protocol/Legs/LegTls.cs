using System.Net.Security;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Protocol.Legs;

/// <summary>
/// TLS on a leg. SslStream lets a shutdown run concurrently with a decryption, and OpenSSL then breaks the stream. Here they take turns; a
/// read gives up its turn while it waits for the peer.
/// </summary>
internal sealed class LegTls : SslStream
{
    private readonly SemaphoreSlim _turn = new(1);
    private readonly RecordStream _records;

    private LegTls(RecordStream records)
        : base(records, leaveInnerStreamOpen: true) => _records = records;

    /// <summary>Its bytes.</summary>
    public RecordStream Records => _records;

    /// <exception cref="LegHandshakeException">The handshake or the peer's certificate was refused.</exception>
    public static async Task<LegTls> HandshakeAsync(SocketStream transport, PeerVerdictHolder? holder, Func<SslStream, Task> handshake)
    {
        // Its mathematics and its verdict take a millisecond or two.
        await EngineThread.Leave();
        transport.LeavesEngine = true;
        var records = new RecordStream(transport);
        var tls = new LegTls(records);
        try
        {
            await handshake(tls).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // Over bytes that are no TLS, SslStream fails with exceptions of many types.
            await tls.DisposeAsync().ConfigureAwait(false);
            throw Failure(records, holder, error);
        }

        // A handshake that resumed a session without asking for a verdict has proven nothing.
        if (holder is not null and not { Verdict.IsTrusted: true })
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw new LegHandshakeException("the peer's certificate was not judged");
        }

        // The handshake itself reads outside of any turn.
        records.Turn = tls._turn;
        transport.LeavesEngine = false;
        return tls;
    }

    /// <summary>Reads one record, and those behind it that have arrived and fit: SslStream keeps a buffer for what does not.</summary>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var read = await base.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            for (var more = read; more > 0 && _records.NextContent is > 0 and var length && length <= buffer.Length - read; read += more)
            {
                more = await base.ReadAsync(buffer[read..], cancellationToken).ConfigureAwait(false);
            }

            return read;
        }
        finally
        {
            _turn.Release();
        }
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        _turn.Wait();
        try
        {
            return base.Read(buffer, offset, count);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Encrypts bytes into records instead of writing them.</summary>
    /// <returns>The length of the records.</returns>
    public async ValueTask<int> EncryptAsync(ReadOnlyMemory<byte> bytes, byte[] records, CancellationToken cancellationToken)
    {
        _records.Collect(records);
        try
        {
            await base.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _records.EndCollect();
        }

        return _records.Collected;
    }

    /// <exception cref="IOException">The stream had failed before.</exception>
    public override async Task ShutdownAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            await TurnedShutdown().ConfigureAwait(false);
        }
        catch (Exception error) when (error is not (IOException or ObjectDisposedException))
        {
            throw new IOException(error.Message, error);
        }
    }

    private static LegHandshakeException Failure(RecordStream records, PeerVerdictHolder? holder, Exception error) =>
        holder?.Verdict is { IsTrusted: false } verdict ? new(verdict.Problem, error) { IsVerdict = true }
        : records.EndReached ? new("the peer ended the connection during the TLS handshake", error)
        : error is IOException ? new("the connection broke during the TLS handshake", error)
        : new($"TLS handshake failed: {Printable.Clean((error.InnerException ?? error).Message)}", error);

    private Task TurnedShutdown()
    {
        try
        {
            // The session is done with when this returns; what remains is a write to the socket.
            return base.ShutdownAsync();
        }
        finally
        {
            _turn.Release();
        }
    }
}

/// <summary>A TLS handshake that failed; the message is one printable line for a log.</summary>
internal sealed class LegHandshakeException(string problem, Exception? cause = null) : Exception(problem, cause)
{
    /// <summary>The peer's certificate was refused, for the reason that the message says.</summary>
    public bool IsVerdict { get; init; }
}
