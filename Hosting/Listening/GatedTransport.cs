using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Whip.Protocol.Legs;

namespace Whip.Hosting.Listening;

/// <summary>
/// The transport of the listeners of Kestrel and Orleans: theirs accept without a limit, and spin when descriptors run out. Each connection has its
/// <see cref="UnauthenticatedGate.Entry"/> as a feature.
/// </summary>
internal sealed class GatedTransport(
    string name, UnauthenticatedGate gate, DescriptorBudget descriptors, Action? evicted, ILoggerFactory loggers, TimeProvider time)
    : IConnectionListenerFactory
{
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        try
        {
            var acceptor = new SocketAcceptor(
                name, (IPEndPoint)endpoint, descriptors, bringsLegs: false, loggers.CreateLogger("Whip.Listening"), time);
            return ValueTask.FromResult<IConnectionListener>(new Listener(this, acceptor));
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(error.Message, error);
        }
    }

    private GatedConnection? Open(Socket socket, SocketAcceptor acceptor, SocketConnectionContextFactory connections)
    {
        try
        {
            var connection = new GatedConnection(connections.Create(socket), descriptors);
            connection.Enter(gate, () =>
            {
                acceptor.LogEvicted((IPEndPoint)connection.RemoteEndPoint!);
                evicted?.Invoke();
            });
            return connection;
        }
        catch (SocketException)
        {
            // It was reset before the accept.
            socket.Dispose();
            descriptors.Return();
            return null;
        }
    }

    private sealed class Listener(GatedTransport transport, SocketAcceptor acceptor) : IConnectionListener
    {
        private readonly SocketConnectionContextFactory _connections = new(
            new SocketConnectionFactoryOptions(), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);

        public EndPoint EndPoint => acceptor.LocalEndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (await acceptor.AcceptAsync() is { } socket)
            {
                // The caller goes on with a connection in its own way.
                await EngineThread.Leave();
                if (transport.Open(socket, acceptor, _connections) is { } connection)
                {
                    return connection;
                }
            }

            return null;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            acceptor.Dispose();
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            acceptor.Dispose();
            _connections.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
