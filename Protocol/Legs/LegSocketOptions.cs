using System.Net.Sockets;

namespace Whip.Protocol.Legs;

/// <summary>What every leg's socket is set to (docs/wire.md). A peer that vanished while the leg was idle is noticed within a minute.</summary>
internal static class LegSocketOptions
{
    private const int KeepAliveSeconds = 30;
    private const int KeepAliveIntervalSeconds = 10;
    private const int KeepAliveProbes = 3;
    private const int MaxRetransmitMilliseconds = 15_000;

    // Of Linux's <netinet/tcp.h>; .NET has no name for it.
    private const int IpProtoTcp = 6;
    private const int TcpMaxRetransmitTimeout = 44;

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
                // A peer that has stopped reading is probed this often, instead of every two minutes, so that LegWatch notices when it vanishes.
                socket.SetRawSocketOption(IpProtoTcp, TcpMaxRetransmitTimeout, BitConverter.GetBytes(MaxRetransmitMilliseconds));
            }
        }
        catch (SocketException)
        {
            // The peer has already reset the connection, which the first read says; or Linux is older than 6.15, and probes more seldom.
        }
    }
}
