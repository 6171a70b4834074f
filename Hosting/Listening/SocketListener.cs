using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Whip.Protocol.Legs;

namespace Whip.Hosting.Listening;

/// <summary>
/// Accepts raw TCP connections and runs the handler of each in its own task. The accept loop never waits for a peer, and neither a peer nor
/// a shortage of descriptors ends it.
/// </summary>
internal sealed class SocketListener : IAsyncDisposable
{
    // The kernel limits it to net.core.somaxconn. Many agents that reconnect at once fill a short queue.
    private const int Backlog = 4096;

    private static readonly TimeSpan ExhaustedPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ExhaustedLogInterval = TimeSpan.FromMinutes(1);

    private readonly string _name;
    private readonly Socket _socket;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly LegWatch? _watch;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskTracker _connections;
    private Task _accepting = Task.CompletedTask;
    private long? _exhaustedLoggedAt;

    /// <summary>Binds at once.</summary>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public SocketListener(string name, IPEndPoint address, int maxUnauthenticated, ILogger logger, TimeProvider time, LegWatch? watch = null)
    {
        _name = name;
        _logger = logger;
        _time = time;
        _watch = watch;
        _connections = new TaskTracker(error => ListeningLog.HandlerFailed(_logger, error, _name));
        Gate = new UnauthenticatedGate(maxUnauthenticated);
        _socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.Address.Equals(IPAddress.IPv6Any))
            {
                _socket.DualMode = true;
            }

            _socket.Bind(address);
            _socket.Listen(Backlog);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        LocalEndPoint = (IPEndPoint)_socket.LocalEndPoint!;
    }

    public IPEndPoint LocalEndPoint { get; }

    /// <summary>Counts the connections that have not authenticated. The handler leaves it after authentication.</summary>
    public UnauthenticatedGate Gate { get; }

    /// <summary>The number of connections whose handler is running.</summary>
    public int ConnectionCount => _connections.Count;

    /// <summary>
    /// Starts to accept. The handler owns the leg and ends it. Its token is cancelled when the listener is disposed. An evicted leg is reset,
    /// which its handler sees as a broken connection.
    /// </summary>
    public void Start(Func<Leg, UnauthenticatedGate.Entry, CancellationToken, Task> handler) => _accepting = AcceptAsync(handler);

    /// <summary>Completes when no handler is running.</summary>
    public Task WhenEmpty() => _connections.WhenEmpty();

    /// <summary>Closes the listening socket. Handlers continue.</summary>
    public async Task StopAcceptingAsync()
    {
        _socket.Dispose();
        await _accepting;
    }

    /// <summary>Stops accepting, cancels the handlers and waits for them.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAcceptingAsync();
        await _stopping.CancelAsync();
        await _connections.WhenEmpty();
        _stopping.Dispose();
    }

    private async Task AcceptAsync(Func<Leg, UnauthenticatedGate.Entry, CancellationToken, Task> handler)
    {
        while (true)
        {
            try
            {
                var socket = await _socket.AcceptAsync();
                _connections.Run(() => HandleAsync(socket, handler));
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.OperationAborted or SocketError.InvalidArgument)
            {
                return;
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                LogExhausted(error);
                await Task.Delay(ExhaustedPause, _time);
            }
            catch (SocketException)
            {
                // The connection was reset while it waited in the backlog.
            }
        }
    }

    private async Task HandleAsync(Socket socket, Func<Leg, UnauthenticatedGate.Entry, CancellationToken, Task> handler)
    {
        Leg leg;
        try
        {
            leg = new Leg(socket, _time, _watch);
        }
        catch (SocketException)
        {
            // It was reset before the accept, and has no remote address any more.
            socket.Dispose();
            return;
        }

        var entry = Gate.Enter(() =>
        {
            ListeningLog.Evicted(_logger, _name, leg.RemoteEndPoint);
            leg.Abort();
        });
        leg.OnClosed(() => entry.Leave());
        await handler(leg, entry, _stopping.Token);
    }

    private void LogExhausted(SocketException error)
    {
        if (_exhaustedLoggedAt is { } last && _time.GetElapsedTime(last) < ExhaustedLogInterval)
        {
            return;
        }

        _exhaustedLoggedAt = _time.GetTimestamp();
        ListeningLog.OutOfDescriptors(_logger, _name, error.SocketErrorCode);
    }
}
