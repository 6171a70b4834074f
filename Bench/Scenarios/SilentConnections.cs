using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Whip.Bench.Scenarios;

/// <summary>Many connections that send nothing, or only the first message of a TLS handshake. One that is closed is opened again.</summary>
internal sealed class SilentConnections : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly IReadOnlyList<IPEndPoint> _ports;
    private readonly int _reopened;
    private readonly byte[] _first;
    private readonly List<Socket> _open = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private int _opened;

    /// <param name="ports">Where to, one after the other.</param>
    /// <param name="count">How many are to be open.</param>
    /// <param name="reopened">How many of those that were closed are opened again in a tenth of a second.</param>
    /// <param name="first">What each sends.</param>
    public SilentConnections(IReadOnlyList<IPEndPoint> ports, int count, int reopened, byte[] first)
    {
        (_ports, _reopened, _first) = (ports, reopened, first);
        _running = RunAsync(count);
    }

    /// <summary>How many were opened so far.</summary>
    public int Opened => Volatile.Read(ref _opened);

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

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _open.ForEach(socket => socket.Dispose());
        _stop.Dispose();
    }

    private async Task RunAsync(int count)
    {
        for (var most = count; !_stop.IsCancellationRequested; most = _reopened)
        {
            foreach (var closed in _open.Where(socket => socket.Poll(0, SelectMode.SelectRead)).ToArray())
            {
                closed.Dispose();
                _open.Remove(closed);
            }

            for (var i = Math.Min(most, count - _open.Count); i > 0 && !_stop.IsCancellationRequested; i--)
            {
                await OpenAsync();
            }

            await Task.Delay(Interval, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task OpenAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(_ports[_opened++ % _ports.Count], _stop.Token);
            await socket.SendAsync(_first);
            _open.Add(socket);
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            socket.Dispose();
        }
    }
}
