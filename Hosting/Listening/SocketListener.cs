using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Whip.Protocol;
using Whip.Protocol.Legs;

namespace Whip.Hosting.Listening;

/// <summary>Accepts raw TCP connections and runs the handler of each in its own task. The accept loop never waits for a peer.</summary>
internal sealed class SocketListener : IAsyncDisposable
{
    private readonly DescriptorBudget _descriptors;
    private readonly SocketAcceptor _acceptor;
    private readonly TimeProvider _time;
    private readonly LegWatch? _watch;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskTracker _connections;
    private Task _accepting = Task.CompletedTask;

    /// <summary>Binds at once.</summary>
    /// <inheritdoc cref="SocketAcceptor(string, IPEndPoint, DescriptorBudget, bool, ILogger, TimeProvider, bool)"/>
    public SocketListener(
        string name, IPEndPoint address, int maxUnauthenticated, DescriptorBudget descriptors, ILogger logger, TimeProvider time,
        LegWatch? watch = null, bool bringsLegs = false)
    {
        _descriptors = descriptors;
        _time = time;
        _watch = watch;
        _connections = new TaskTracker(error => ListeningLog.HandlerFailed(logger, error, name));
        Gate = new UnauthenticatedGate(maxUnauthenticated, descriptors);
        _acceptor = new SocketAcceptor(name, address, descriptors, bringsLegs, logger, time, LegSocketOptions.AreInherited);
    }

    public IPEndPoint LocalEndPoint => _acceptor.LocalEndPoint;

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
        _acceptor.Dispose();
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
        while (await _acceptor.AcceptAsync() is { } socket)
        {
            if (Open(socket) is { } leg)
            {
                // In the order of arrival, so that the oldest is the first to go.
                var entry = Gate.Enter(() =>
                {
                    _acceptor.LogEvicted(leg.RemoteEndPoint);
                    leg.Abort();
                });
                leg.OnClosed(() => entry.Leave());
                _connections.Run(() => handler(leg, entry, _stopping.Token));
            }
        }
    }

    private Leg? Open(Socket socket)
    {
        try
        {
            var leg = new Leg(socket, _time, _watch, hasOptions: LegSocketOptions.AreInherited);
            leg.OnClosed(() => _descriptors.Return());
            return leg;
        }
        catch (SocketException)
        {
            // It was reset before the accept, and has no remote address any more.
            socket.Dispose();
            _descriptors.Return();
            return null;
        }
    }
}
