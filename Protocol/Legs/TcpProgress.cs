using System.Buffers.Binary;
using System.Net.Sockets;

namespace Whip.Protocol.Legs;

/// <summary>What the kernel knows of a connection.</summary>
/// <param name="Unacknowledged">Segments that are sent and not acknowledged.</param>
/// <param name="NotSent">Bytes that the peer's window has no room for.</param>
/// <param name="Probes">Probes of a closed window that the peer has not answered; zero as long as it answers.</param>
/// <param name="SegmentsReceived">All that the peer sent; each acknowledges.</param>
/// <param name="IsClosed">Both directions have ended, or the connection was reset.</param>
internal readonly record struct TcpProgress(uint Unacknowledged, uint NotSent, byte Probes, uint SegmentsReceived, bool IsClosed)
{
    // Of Linux's <netinet/tcp.h>: struct tcp_info, whose fields never move.
    private const int IpProtoTcp = 6;
    private const int TcpInfo = 11;
    private const int StateAt = 0;
    private const int Closed = 7;
    private const int ProbesAt = 3;
    private const int UnacknowledgedAt = 24;
    private const int SegmentsReceivedAt = 140;
    private const int NotSentAt = 144;

    public bool IsOutstanding => Unacknowledged > 0 || NotSent > 0;

    /// <summary>Two probes: one may have been sent this moment.</summary>
    public bool IsUnanswered => Unacknowledged > 0 || Probes >= 2;

    /// <summary>Null where the system does not tell, or the socket is closed.</summary>
    public static TcpProgress? Of(Socket socket)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        Span<byte> info = stackalloc byte[NotSentAt + sizeof(uint)];
        try
        {
            var length = socket.GetRawSocketOption(IpProtoTcp, TcpInfo, info);
            return length < info.Length ? null : new TcpProgress(
                BinaryPrimitives.ReadUInt32LittleEndian(info[UnacknowledgedAt..]),
                BinaryPrimitives.ReadUInt32LittleEndian(info[NotSentAt..]),
                info[ProbesAt],
                BinaryPrimitives.ReadUInt32LittleEndian(info[SegmentsReceivedAt..]),
                info[StateAt] == Closed);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            return null;
        }
    }
}
