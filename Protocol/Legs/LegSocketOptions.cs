using System.Net;
using System.Net.Sockets;

namespace Whip.Protocol.Legs;

/// <summary>
/// What every leg's socket is set to (docs/wire.md). A peer that vanished while the leg was idle is noticed within a minute; one on this machine cannot
/// vanish. Linux gives accepted sockets the options of the one that listens, so they are set once.
/// </summary>
internal static class LegSocketOptions
{
    private const int KeepAliveSeconds = 30;
    private const int KeepAliveIntervalSeconds = 10;
    private const int KeepAliveProbes = 3;
    private const int MaxRetransmitMilliseconds = 15_000;

    // Of Linux's <netinet/tcp.h>; .NET has no name for it.
    private const int IpProtoTcp = 6;
    private const int TcpMaxRetransmitTimeout = 44;

    /// <summary>Whether connections have the options of the socket that accepts them.</summary>
    public static bool AreInherited { get; } = OperatingSystem.IsLinux();

    /// <param name="socket">A connected one, or one that is to listen.</param>
    /// <param name="remote">The peer; null for one that is to listen.</param>
    public static void Apply(Socket socket, IPEndPoint? remote = null)
    {
        try
        {
            socket.NoDelay = true;
            if (remote is null || !IPAddress.IsLoopback(remote.Address))
            {
                ApplyTimes(socket);
            }
        }
        catch (SocketException)
        {
            // The peer has already reset the connection, which the first read says; or Linux is older than 6.15, and probes more seldom.
        }
    }

    private static void ApplyTimes(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveIntervalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, KeepAliveProbes);
        if (OperatingSystem.IsLinux())
        {
            // A peer that has stopped reading is probed this often, instead of every two minutes, so that LegWatch notices when it vanishes.
            socket.SetRawSocketOption(IpProtoTcp, TcpMaxRetransmitTimeout, BitConverter.GetBytes(MaxRetransmitMilliseconds));
        }
    }
}
