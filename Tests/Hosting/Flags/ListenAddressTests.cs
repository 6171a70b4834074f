using System.Net;
using System.Net.Sockets;
using Whip.Hosting.Flags;

namespace Whip.Tests.Hosting.Flags;

public sealed class ListenAddressTests
{
    [Fact]
    public void A_port_alone_is_all_interfaces_or_loopback()
    {
        Assert.Contains(new ListenAddress("", 80).Resolve(loopbackOnly: false).Address, new[] { IPAddress.IPv6Any, IPAddress.Any });
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 80), new ListenAddress("", 80).Resolve(loopbackOnly: true));
    }

    [Theory]
    [InlineData("0.0.0.0", "0.0.0.0:80", true)]
    [InlineData("::", "[::]:80", true)]
    [InlineData("::1", "[::1]:80", false)]
    [InlineData("localhost", "127.0.0.1:80", false)]
    public void What_is_spelled_out_is_taken_as_it_is(string host, string expected, bool wildcard)
    {
        var address = new ListenAddress(host, 80);
        Assert.Equal(IPEndPoint.Parse(expected), address.Resolve(loopbackOnly: true));
        Assert.Equal(wildcard, address.IsWildcard);
    }

    [Fact]
    public void A_bind_failure_names_flag_address_and_what_to_try()
    {
        using var first = new TcpListener(IPAddress.Loopback, 0);
        first.Start();
        using var second = new TcpListener((IPEndPoint)first.LocalEndpoint);
        var failure = new IOException("outer", Assert.Throws<SocketException>(second.Start));
        Assert.Equal(
            "--tcp-listen \":8000\": the address is in use; try another port, or port 0 for any free one",
            ListenAddress.BindFailure("--tcp-listen", ":8000", failure).Message);
        Assert.Contains("host name is not known", ListenAddress.BindFailure("--x", "x", new SocketException((int)SocketError.HostNotFound)).Message);
        Assert.Contains("no such address", ListenAddress.BindFailure("--x", "x", new SocketException((int)SocketError.AddressNotAvailable)).Message);
        Assert.Contains("a port above 1023", ListenAddress.BindFailure("--x", "x", new SocketException((int)SocketError.AccessDenied)).Message);
    }
}
