using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Hosting.Listening;
using Whip.Protocol.Legs;

namespace Whip.Tests.Hosting.Listening;

public sealed class SocketAcceptorTests
{
    private const int Tcp = 6;
    private const int MaxRetransmitTimeout = 44;

    [Fact]
    public async Task Accepted_legs_have_the_options_of_the_socket_that_listens()
    {
        var descriptors = new DescriptorBudget(1000, static () => 0, TimeProvider.System);
        using var acceptor = new SocketAcceptor(
            "test", new IPEndPoint(IPAddress.Loopback, 0), descriptors, bringsLegs: false, NullLogger.Instance, TimeProvider.System, asLegs: true);
        using var dialer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await dialer.ConnectAsync(acceptor.LocalEndPoint);
        using var accepted = await acceptor.AcceptAsync().AsTask().WaitAsync(Patience.Long);

        // As if it were connected to another machine.
        LegSocketOptions.Apply(dialer, new IPEndPoint(IPAddress.Parse("192.0.2.1"), 1));
        Assert.Equal(Options(dialer), Options(accepted!));
        Assert.Equal([1, 1, 30, 10, 3], Options(accepted!)[..5]);
    }

    private static int[] Options(Socket socket)
    {
        var retransmit = new byte[sizeof(int)];
        try
        {
            socket.GetRawSocketOption(Tcp, MaxRetransmitTimeout, retransmit);
        }
        catch (SocketException)
        {
            // Linux is older than 6.15.
        }

        return
        [
            socket.NoDelay ? 1 : 0,
            (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive)!,
            (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime)!,
            (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval)!,
            (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount)!,
            BitConverter.ToInt32(retransmit),
        ];
    }
}
