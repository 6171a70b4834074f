using System.Net;
using System.Net.Sockets;

namespace Whip.Harness.Programs;

/// <summary>Ports for programs that keep them when they are started again.</summary>
internal static class FreePort
{
    // A UDP socket of each port that was given: Whip does not speak UDP, so these sockets disturb nothing and keep the port from being given again, by
    // this process or another, until this process ends, even while the program that has it is down.
    private static readonly List<Socket> Given = [];

    /// <summary>Different ports, free, not given before, and none of those that the kernel gives for port 0 while a program is down.</summary>
    public static int[] Find(int count) =>
        [.. Enumerable.Repeat(0, int.MaxValue).Select(_ => Random.Shared.Next(20000, 32000)).Where(TryTake).Take(count)];

    private static bool TryTake(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            probe.Bind(new IPEndPoint(IPAddress.Any, port));
        }
        catch (SocketException)
        {
            socket.Dispose();
            return false;
        }

        lock (Given)
        {
            Given.Add(socket);
        }

        return true;
    }
}
