using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Whip.Protocol.Tls;

namespace Whip.Tests.Protocol.Tls;

/// <summary>One mTLS handshake and one byte each way over loopback; what each side thought of the other.</summary>
internal sealed record TlsHandshake(PeerVerdict? OfClient, PeerVerdict? OfServer, bool Succeeded, SslProtocols Version, bool IsResumed)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    public static Task<TlsHandshake> RunAsync(
        TlsIdentity server, TlsIdentity client, string host = "localhost", PeerRole peerRole = PeerRole.Client, SslProtocols version = SslProtocols.None)
    {
        var ofServer = new PeerVerdictHolder();
        var options = client.ClientOptions(host, 0, ofServer);
        options.EnabledSslProtocols = version == SslProtocols.None ? options.EnabledSslProtocols : version;
        return RunAsync(server, options, ofServer, peerRole);
    }

    public static async Task<TlsHandshake> RunAsync(
        TlsIdentity server, SslClientAuthenticationOptions client, PeerVerdictHolder ofServer, PeerRole peerRole = PeerRole.Client)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var ofClient = new PeerVerdictHolder();
        var serving = ServeAsync(listener, server.ServerOptions(peerRole, ofClient));
        using var connection = new TcpClient();
        await connection.ConnectAsync((IPEndPoint)listener.LocalEndpoint).WaitAsync(Deadline);
        await using var stream = new SslStream(connection.GetStream());
        var joined = await SucceedsAsync(async () =>
        {
            await stream.AuthenticateAsClientAsync(client);
            await stream.WriteAsync(new byte[1]);
            await stream.ReadExactlyAsync(new byte[1]);
        });
        connection.Close();
        return new TlsHandshake(ofClient.Verdict, ofServer.Verdict, await serving && joined, joined ? stream.SslProtocol : SslProtocols.None,
            // A client does not learn of a resumption, but then sees that it showed no certificate.
            joined && !stream.IsMutuallyAuthenticated);
    }

    private static async Task<bool> ServeAsync(TcpListener listener, SslServerAuthenticationOptions options)
    {
        using var connection = await listener.AcceptTcpClientAsync().WaitAsync(Deadline);
        await using var stream = new SslStream(connection.GetStream());
        return await SucceedsAsync(async () =>
        {
            await stream.AuthenticateAsServerAsync(options);
            await stream.ReadExactlyAsync(new byte[1]);
            await stream.WriteAsync(new byte[1]);
        });
    }

    private static async Task<bool> SucceedsAsync(Func<Task> talk)
    {
        try
        {
            await talk().WaitAsync(Deadline);
            return true;
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            return false;
        }
    }
}
