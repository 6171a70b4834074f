using System.Net.Security;
using Whip.Protocol.Tls;

namespace Whip.Protocol.Legs;

/// <summary>The handshakes of a leg under TLS.</summary>
internal sealed partial class Leg
{
    /// <exception cref="LegHandshakeException">The handshake or the peer's certificate was refused.</exception>
    public Task AuthenticateAsServerAsync(TlsIdentity identity, PeerRole peerRole, CancellationToken cancellationToken)
    {
        var holder = new PeerVerdictHolder();
        return HandshakeAsync(holder, tls => tls.AuthenticateAsServerAsync(identity.ServerOptions(peerRole, holder), cancellationToken), identity.Denied);
    }

    /// <summary>Shows a certificate and asks for none: clients authenticate in another way.</summary>
    /// <exception cref="LegHandshakeException">The handshake failed.</exception>
    public Task AuthenticateAsServerAsync(SslServerAuthenticationOptions options, CancellationToken cancellationToken) =>
        HandshakeAsync(null, tls => tls.AuthenticateAsServerAsync(options, cancellationToken));

    /// <param name="identity">What is shown, and who is accepted.</param>
    /// <param name="host">What the peer's certificate must cover.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="port">The peer's, if it is not that of the connection.</param>
    /// <exception cref="LegHandshakeException">The handshake or the peer's certificate was refused.</exception>
    public Task AuthenticateAsClientAsync(TlsIdentity identity, string host, CancellationToken cancellationToken, int? port = null)
    {
        var holder = new PeerVerdictHolder();
        return HandshakeAsync(
            holder,
            tls => tls.AuthenticateAsClientAsync(identity.ClientOptions(host, port ?? RemoteEndPoint.Port, holder), cancellationToken),
            identity.Denied);
    }

    private async Task HandshakeAsync(PeerVerdictHolder? holder, Func<SslStream, Task> handshake, DenyFile? denied = null)
    {
        if (_unread.Length > 0)
        {
            // Whoever has sent it without TLS, it would be read as the peer's.
            throw new LegHandshakeException("something was sent before the TLS handshake");
        }

        _tls = await LegTls.HandshakeAsync(_transport, holder, handshake).ConfigureAwait(false);
        Peer = holder?.Verdict?.Identity;
        if (denied is not null && Peer is not null)
        {
            OnClosed(denied.Track(Peer, Abort).Dispose);
        }
    }
}
