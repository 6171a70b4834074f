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

    private LegTls(SocketStream transport)
        : base(transport, leaveInnerStreamOpen: true)
    {
    }

    /// <exception cref="LegHandshakeException">The handshake or the peer's certificate was refused.</exception>
    public static async Task<LegTls> HandshakeAsync(SocketStream transport, PeerVerdictHolder? holder, Func<SslStream, Task> handshake)
    {
        // Its mathematics and its verdict take a millisecond or two.
        await EngineThread.Leave();
        transport.LeavesEngine = true;
        var tls = new LegTls(transport);
        try
        {
            await handshake(tls).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // Over bytes that are no TLS, SslStream fails with exceptions of many types.
            await tls.DisposeAsync().ConfigureAwait(false);
            throw Failure(transport, holder, error);
        }

        // A handshake that resumed a session without asking for a verdict has proven nothing.
        if (holder is not null and not { Verdict.IsTrusted: true })
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw new LegHandshakeException("the peer's certificate was not judged");
        }

        // The handshake itself reads outside of any turn.
        transport.Turn = tls._turn;
        transport.LeavesEngine = false;
        return tls;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await base.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
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

    private static LegHandshakeException Failure(SocketStream transport, PeerVerdictHolder? holder, Exception error) =>
        holder?.Verdict is { IsTrusted: false } verdict ? new(verdict.Problem, error) { IsVerdict = true }
        : transport.EndReached ? new("the peer ended the connection during the TLS handshake", error)
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
