using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Whip.Tests.Support;

/// <summary>An HTTP proxy that makes tunnels to where the test says, and remembers what it was asked.</summary>
internal sealed class TunnelProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<string, IPEndPoint?> _route;
    private readonly ConcurrentDictionary<Socket, Socket> _tunnels = [];
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly Task _accepting;

    /// <param name="route">Where a tunnel to this <c>host:port</c> leads; null: it is refused with 403. Without one it leads where it says.</param>
    public TunnelProxy(Func<string, IPEndPoint?>? route = null)
    {
        _route = route ?? IPEndPoint.Parse;
        _listener.Start();
        Url = $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _accepting = AcceptAsync();
    }

    public string Url { get; }

    /// <summary>Of every CONNECT.</summary>
    public ConcurrentQueue<string> Heads { get; } = [];

    /// <summary>What the CONNECTs were for.</summary>
    public IEnumerable<string> Targets => Heads.Select(head => head.Split(' ')[1]);

    /// <summary>Tunnels that stand.</summary>
    public int Open => _tunnels.Count;

    /// <summary>Ends the tunnels that stand, as a proxy does with idle ones.</summary>
    public void Cut()
    {
        foreach (var (client, server) in _tunnels)
        {
            client.Shutdown(SocketShutdown.Both);
            server.Shutdown(SocketShutdown.Both);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting.WaitAsync(Patience.Long);
        foreach (var (client, server) in _tunnels)
        {
            client.Dispose();
            server.Dispose();
        }

        await Task.WhenAll(_connections).WaitAsync(Patience.Long);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _connections.Add(ServeAsync(await _listener.AcceptSocketAsync()));
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            using var connection = new FakeDialConnection(client);
            var head = await connection.ReadHeadAsync();
            if (head.Length == 0)
            {
                return;
            }

            Heads.Enqueue(head);
            if (_route(head.Split(' ')[1]) is not { } to)
            {
                await connection.WriteAsync("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
                return;
            }

            await server.ConnectAsync(to);
            _tunnels[client] = server;
            await client.SendAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 Connection established\r\n\r\n"));
            await Task.WhenAll(CopyAsync(client, server), CopyAsync(server, client));
        }
        catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException)
        {
            // Of one of the two.
        }
        finally
        {
            _tunnels.TryRemove(client, out _);
        }
    }

    private static async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var read)
            {
                for (var sent = 0; sent < read;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent));
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // A reset of one side is a reset of the other.
            to.Close(0);
            from.Close(0);
        }
    }
}
