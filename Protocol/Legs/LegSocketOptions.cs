using System.Net.Sockets;

namespace Whip.Protocol.Legs;

/// <summary>What every leg's socket is set to, so that a peer that vanished is noticed within a minute (docs/wire.md).</summary>
internal static class LegSocketOptions
{
    private const int KeepAliveSeconds = 30;
    private const int KeepAliveIntervalSeconds = 10;
    private const int KeepAliveProbes = 3;
    private const int UserTimeoutMilliseconds = 60_000;

    // Of Linux's <netinet/tcp.h>; .NET has no name for it.
    private const int IpProtoTcp = 6;
    private const int TcpUserTimeout = 18;

    public static void Apply(Socket socket)
    {
        try
        {
            socket.NoDelay = true;
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveIntervalSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, KeepAliveProbes);
            if (OperatingSystem.IsLinux())
            {
                socket.SetRawSocketOption(IpProtoTcp, TcpUserTimeout, BitConverter.GetBytes(UserTimeoutMilliseconds));
            }
        }
        catch (SocketException)
        {
            // The peer has already reset the connection: the first read says so.
        }
    }
}
