using System.Net;
using System.Net.Sockets;

namespace Whip.Proxy.Fallback;

/// <summary>
/// Which addresses a direct connection may go to: public unicast ones of other machines, and those that were allowed explicitly. A proxy that connected to any
/// address would open the machine's own network, and the cloud's metadata service, to its clients.
/// </summary>
internal sealed class FallbackAddresses(IEnumerable<IPNetwork> allowed)
{
    // IANA's special-purpose registries: addresses that are not globally reachable, and those that carry another address inside. The metadata
    // services of clouds are among them, but for Azure's, which has a public address.
    private static readonly IPNetwork[] Special =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "168.63.129.16/32", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
            "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
        }.Select(IPNetwork.Parse),
    ];

    // Everything outside is loopback, link-local, unique local, multicast, IPv4-mapped, translated or unassigned.
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    private readonly IPNetwork[] _allowed = [.. allowed];

    // An IPv4-mapped address counts as an IPv6 address: otherwise an allowed IPv4 network would contain it.
    public bool Permits(IPAddress address) =>
        !address.IsIPv4MappedToIPv6
        && (_allowed.Any(network => network.Contains(address)) || (IsPublic(address) && !IsOfThisMachine(address)));

    private static bool IsPublic(IPAddress address) =>
        (address.AddressFamily == AddressFamily.InterNetwork || GlobalUnicast.Contains(address))
        && !Special.Any(network => network.Contains(address));

    // To an address of its own a machine sends from that address. Connecting a datagram socket asks the kernel, and sends nothing.
    private static bool IsOfThisMachine(IPAddress address)
    {
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(address, 9);
            return ((IPEndPoint)socket.LocalEndPoint!).Address.Equals(address);
        }
        catch (SocketException)
        {
            // Nothing there can be reached.
            return false;
        }
    }
}
