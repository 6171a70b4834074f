using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Bench.Scenarios;

/// <summary>One connection of somebody who asks for nothing.</summary>
/// <param name="HasEnded">The other side has closed it.</param>
/// <param name="End">Closes it.</param>
internal sealed record Stranger(Func<bool> HasEnded, Action End)
{
    private const int ReadSize = 16 * 1024;

    /// <summary>Sends <paramref name="first"/>, which may be nothing.</summary>
    public static async Task<Stranger> SilentAsync(IPEndPoint port, byte[] first, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(port, cancellationToken);
            await socket.SendAsync(first, cancellationToken);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return new Stranger(() => IsOver(socket), socket.Dispose);
    }

    /// <summary>Shows its certificate, and is silent then.</summary>
    public static async Task<Stranger> AuthenticatedAsync(IPEndPoint port, TlsIdentity identity, CancellationToken cancellationToken)
    {
        var leg = await Leg.ConnectAsync(port, cancellationToken);
        try
        {
            await leg.AuthenticateAsClientAsync(identity, $"{port.Address}", cancellationToken);
        }
        catch
        {
            leg.Abort();
            throw;
        }

        var end = leg.WaitReadableAsync();
        return new Stranger(() => end.IsCompleted, leg.Abort);
    }

    /// <summary>What a TLS client sends first.</summary>
    public static async Task<byte[]> ClientHelloAsync()
    {
        using var sent = new MemoryStream();
        try
        {
            await using var tls = new SslStream(sent);
            await tls.AuthenticateAsClientAsync("127.0.0.1");
        }
        catch (Exception error) when (error is IOException or AuthenticationException)
        {
            // Nobody answers.
        }

        return sent.ToArray();
    }

    /// <summary>What has come meanwhile, such as the answer to a ClientHello, is read and dropped.</summary>
    private static bool IsOver(Socket socket)
    {
        try
        {
            var scratch = new byte[ReadSize];
            while (socket.Poll(0, SelectMode.SelectRead))
            {
                if (socket.Receive(scratch) == 0)
                {
                    return true;
                }
            }

            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}

/// <summary>What strangers do to one program.</summary>
/// <param name="Name">In the figures.</param>
/// <param name="Ports">Where to, one after the other.</param>
/// <param name="Count">How many connections are to be open.</param>
/// <param name="Reopened">How many of those that were closed are opened again in a tenth of a second.</param>
/// <param name="ConnectAsync">Makes one.</param>
internal sealed record StrangerLoad(
    string Name, IReadOnlyList<IPEndPoint> Ports, int Count, int Reopened, Func<IPEndPoint, CancellationToken, Task<Stranger>> ConnectAsync)
{
    public static StrangerLoad Silent(string name, IReadOnlyList<IPEndPoint> ports, int count, int reopened, byte[] first) =>
        new(name, ports, count, reopened, (port, cancellationToken) => Stranger.SilentAsync(port, first, cancellationToken));
}
