using System.Net;
using System.Net.Sockets;
using Whip.Protocol.Legs;

namespace Whip.Tests.Support;

/// <summary>A name with two addresses: at the first the SYN is dropped, at the second whatever the test starts listens on the same port.</summary>
internal sealed class TwoAddresses : IDisposable
{
    private readonly Socket _deaf = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <param name="port">0: a free one.</param>
    public TwoAddresses(int port = 0)
    {
        _deaf.Bind(new IPEndPoint(Dead, port));
        _deaf.Deafen();
        _deaf.Listen();
    }

    public static IPAddress Dead { get; } = IPAddress.Parse("127.0.0.3");

    public static IPAddress Alive => IPAddress.Loopback;

    public int Port => ((IPEndPoint)_deaf.LocalEndPoint!).Port;

    /// <summary>Every name is this one.</summary>
    public static HostResolver Resolve => static (_, _) => Task.FromResult<IPAddress[]>([Dead, Alive]);

    /// <summary>Connections that wait for an answer of the dead address.</summary>
    public int Waiting => File.ReadLines("/proc/net/tcp").Count(line => line.Contains($" {Hex}:{Port:X4} 02 ", StringComparison.Ordinal));

    private static string Hex => Convert.ToHexString([.. Dead.GetAddressBytes().Reverse()]);

    public void Dispose() => _deaf.Dispose();
}
