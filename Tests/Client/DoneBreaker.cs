using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Whip.Tests.Client;

/// <summary>How a <see cref="DoneBreaker"/> breaks.</summary>
public enum DoneFault
{
    /// <summary>Done comes before the end of the broker's direction.</summary>
    Early,

    /// <summary>It never comes.</summary>
    Missing,

    /// <summary>It comes twice.</summary>
    Twice,
}

/// <summary>Stands between dialers and a plain dial front, and breaks each <c>done</c> of the broker.</summary>
internal sealed class DoneBreaker : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<Task> _connections = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly IPEndPoint _front;
    private readonly DoneFault _fault;
    private readonly Task _accepting;

    public DoneBreaker(IPEndPoint front, DoneFault fault)
    {
        (_front, _fault) = (front, fault);
        _listener.Start();
        Authority = $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _accepting = AcceptAsync();
    }

    public string Authority { get; }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _stopping.CancelAsync();
        await _accepting.WaitAsync(Patience.Long);
        await Task.WhenAll(_connections).WaitAsync(Patience.Long);
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var dialer = await _listener.AcceptSocketAsync();
                _connections.Add(Task.Run(() => ServeAsync(dialer)));
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(Socket dialer)
    {
        using var broker = new Socket(SocketType.Stream, ProtocolType.Tcp);
        dialer.NoDelay = broker.NoDelay = true;
        await broker.ConnectAsync(_front);
        await using NetworkStream near = new(dialer), far = new(broker);
        Task[] ways = [ForwardAsync(near, far), BreakAsync(far, near)];
        await Task.WhenAny([.. ways, Task.Delay(Timeout.InfiniteTimeSpan, _stopping.Token)]);

        // Each side sees a reset, whatever the other did.
        dialer.Close(0);
        broker.Close(0);
        await Task.WhenAll(ways);
    }

    private static async Task ForwardAsync(NetworkStream from, NetworkStream to)
    {
        try
        {
            await from.CopyToAsync(to);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // One of them is gone.
        }
    }

    private async Task BreakAsync(NetworkStream broker, NetworkStream to)
    {
        var from = new BufferedStream(broker);
        try
        {
            while (true)
            {
                var head = await ReadHeadAsync(from);
                await to.WriteAsync(Encoding.Latin1.GetBytes(head));
                if (head.Contains("Content-Length: ", StringComparison.Ordinal))
                {
                    var length = int.Parse(head.Split("Content-Length: ")[1].Split('\r')[0], System.Globalization.CultureInfo.InvariantCulture);
                    await to.WriteAsync(await ReadAsync(from, length));
                }
                else if (head.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
                {
                    await BreakDialAsync(from, to);
                }
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // One of them is gone.
        }
    }

    private async Task BreakDialAsync(Stream from, Stream to)
    {
        for (byte kind = 0; kind != 5;)
        {
            var header = await ReadAsync(from, 4);
            kind = header[0];
            byte[] frame = [.. header, .. await ReadAsync(from, (header[1] << 16) | (header[2] << 8) | header[3])];
            byte[] done = [5, 0, 0, 0];
            await to.WriteAsync((kind, _fault) switch
            {
                (1, DoneFault.Early) => [.. done, .. frame],
                (5, DoneFault.Early or DoneFault.Missing) => [],
                (5, DoneFault.Twice) => [.. frame, .. done],
                _ => frame,
            });
        }
    }

    private static async Task<string> ReadHeadAsync(Stream from)
    {
        var head = new StringBuilder();
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            head.Append((char)(await ReadAsync(from, 1))[0]);
        }

        return head.ToString();
    }

    private static async Task<byte[]> ReadAsync(Stream from, int length)
    {
        var bytes = new byte[length];
        await from.ReadExactlyAsync(bytes);
        return bytes;
    }
}
