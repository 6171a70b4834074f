using System.Net;
using System.Net.Sockets;

namespace Whip.Tests.Support;

/// <summary>A connection from this machine whose own port is one that a program is told to listen on. Disposing it makes the port free at once.</summary>
internal sealed class OutgoingConnection : IDisposable
{
    private readonly TcpListener _peer = new(IPAddress.Loopback, 0);

    // With ProtocolType.Tcp .NET sets SO_REUSEADDR, which a port that the kernel gives to a connection has not.
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Unspecified);

    public OutgoingConnection()
    {
        _peer.Start();
        _socket.Bind(LocalEndPoint);
        _socket.Connect(_peer.LocalEndpoint);
    }

    public IPEndPoint LocalEndPoint { get; } = new(IPAddress.Loopback, FreePort.Find(1)[0]);

    public void Dispose()
    {
        // A reset, after which the kernel keeps nothing of it.
        _socket.Close(0);
        _peer.Dispose();
    }
}
