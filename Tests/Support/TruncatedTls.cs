using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Tests.Support;

/// <summary>A TLS peer that can end its TCP stream without saying so in TLS, as an attacker on the path could.</summary>
internal sealed class TruncatedTls : IAsyncDisposable
{
    private readonly Socket _socket;
    private readonly SslStream _tls;

    private TruncatedTls(Socket socket, SslStream tls, Leg accepted)
    {
        _socket = socket;
        _tls = tls;
        Accepted = accepted;
    }

    /// <summary>The other end: the leg under test.</summary>
    public Leg Accepted { get; }

    public static async Task<TruncatedTls> ConnectAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(listener.LocalEndpoint);
        var accepted = new Leg(await listener.AcceptSocketAsync());
        var tls = new SslStream(new NetworkStream(socket));
        await Task.WhenAll(
            tls.AuthenticateAsClientAsync(TestCertificates.Shared.ClientIdentity("a.testdom").ClientOptions("127.0.0.1", 0, new PeerVerdictHolder())),
            accepted.AuthenticateAsServerAsync(TestCertificates.Shared.BrokerIdentity, PeerRole.Client, default)).WaitAsync(Patience.Long);
        return new TruncatedTls(socket, tls, accepted);
    }

    public Task WriteAsync(byte[] bytes) => _tls.WriteAsync(bytes).AsTask();

    public void SendFinWithoutCloseNotify() => _socket.Shutdown(SocketShutdown.Send);

    public async ValueTask DisposeAsync()
    {
        await _tls.DisposeAsync();
        _socket.Dispose();
        Accepted.Abort();
    }
}
