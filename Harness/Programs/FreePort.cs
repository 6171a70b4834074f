using System.Net;
using System.Net.Sockets;

namespace Whip.Harness.Programs;

/// <summary>Ports for programs that keep theirs when they are started again.</summary>
internal static class FreePort
{
    // The UDP sockets of the ports that were given: nothing of Whip speaks UDP, so they are in nobody's way and keep each port from
    // a second asker, of this process or another, until this process ends, also while the program that it was given to is down.
    private static readonly List<Socket> Given = [];

    /// <summary>Different ones, free, given to nobody else, and none of those the kernel gives for port 0 while a program is down.</summary>
    public static int[] Find(int count)
    {
        var ports = new List<int>();
        while (ports.Count < count)
        {
            var port = Random.Shared.Next(20000, 32000);
            if (TryTake(port))
            {
                ports.Add(port);
            }
        }

        return [.. ports];
    }

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
