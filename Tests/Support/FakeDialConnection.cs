using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Whip.Protocol.Tls;

namespace Whip.Tests.Support;

/// <summary>One connection at a <see cref="FakeDialFront"/>, with the steps that scripts are made of.</summary>
internal sealed class FakeDialConnection(Socket socket) : IDisposable
{
    public const string Established = "HTTP/1.1 200 Connection established\r\n\r\n";

    public Socket Socket => socket;

    public Stream Stream { get; private set; } = new NetworkStream(socket, ownsSocket: true);

    public async Task<bool> TryAuthenticateAsync(TlsIdentity? identity)
    {
        if (identity is null)
        {
            return true;
        }

        var tls = new SslStream(Stream);
        Stream = tls;
        try
        {
            await tls.AuthenticateAsServerAsync(identity.ServerOptions(PeerRole.Client));
            return true;
        }
        catch (Exception error) when (error is AuthenticationException or IOException)
        {
            return false;
        }
    }

    /// <summary>Up to the empty line or the peer's end; of a TLS handshake the first byte only.</summary>
    public async Task<string> ReadHeadAsync()
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (head.ToString() is not ("\u0016" or [.., '\r', '\n', '\r', '\n']) && await Stream.ReadAsync(one) == 1)
        {
            head.Append((char)one[0]);
        }

        return head.ToString();
    }

    public async Task WriteAsync(string text) => await Stream.WriteAsync(Encoding.Latin1.GetBytes(text));

    public async Task EstablishAsync()
    {
        await ReadHeadAsync();
        await WriteAsync(Established);
    }

    /// <summary>Sends back what comes until the peer's end of stream, then ends too.</summary>
    public async Task EchoAsync()
    {
        await Stream.CopyToAsync(Stream);
        await EndAsync();
    }

    /// <summary>Ends our direction cleanly.</summary>
    public async Task EndAsync()
    {
        if (Stream is SslStream tls)
        {
            await tls.ShutdownAsync();
        }

        socket.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Ends when the peer has: true for an end of stream, false for a reset.</summary>
    public async Task<bool> WaitForEndAsync()
    {
        try
        {
            var buffer = new byte[1024];
            while (await Stream.ReadAsync(buffer) > 0)
            {
            }

            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    public void Dispose() => Stream.Dispose();
}
