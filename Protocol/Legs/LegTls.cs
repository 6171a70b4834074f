using System.Net.Security;

namespace Whip.Protocol.Legs;

/// <summary>
/// TLS on a leg. SslStream lets a shutdown run beside a decryption, and OpenSSL then breaks the stream. Here they take turns; a
/// read gives up its turn while it waits for the peer.
/// </summary>
internal sealed class LegTls(SocketStream transport) : SslStream(transport, leaveInnerStreamOpen: true)
{
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>To be called once after the handshake, which reads outside of any turn.</summary>
    public void TakeTurns() => transport.Turn = _turn;

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
internal sealed class LegHandshakeException(string problem, Exception? cause = null) : Exception(problem, cause);
