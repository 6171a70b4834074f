using System.Net;
using System.Net.Sockets;
using Whip.Protocol.Names;

namespace Whip.Hosting.Flags;

/// <summary>Where to listen. An empty host is <c>:PORT</c>, port 0 any free one.</summary>
internal sealed record ListenAddress(string Host, int Port)
{
    /// <summary>All interfaces, spelled out.</summary>
    public bool IsWildcard => IPAddress.TryParse(Host, out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));

    /// <summary>
    /// The end point to bind. <c>:PORT</c> is the loopback interface if <paramref name="loopbackOnly"/>, else all interfaces as
    /// <see cref="IPAddress.IPv6Any"/>, to be bound in dual mode, or as <see cref="IPAddress.Any"/> on a machine without IPv6.
    /// </summary>
    /// <exception cref="SocketException">The host name is not known.</exception>
    public IPEndPoint Resolve(bool loopbackOnly)
    {
        if (Host.Length == 0)
        {
            var all = Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
            return new(loopbackOnly ? IPAddress.Loopback : all, Port);
        }

        if (!IPAddress.TryParse(Host, out var address))
        {
            var addresses = Dns.GetHostAddresses(Host);
            address = addresses.FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork)
                ?? addresses.FirstOrDefault()
                ?? throw new SocketException((int)SocketError.HostNotFound);
        }

        return new(address, Port);
    }

    public override string ToString() => HostPort.Format(Host, Port);
}
