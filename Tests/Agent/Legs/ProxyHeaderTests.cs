using System.Text;
using Whip.Agent.Legs;
using Whip.Protocol.Messages;

namespace Whip.Tests.Agent.Legs;

/// <summary>The header of the PROXY protocol, byte by byte, and when a service gets it.</summary>
public sealed class ProxyHeaderTests : KeptLegTest
{
    private const string Signature = "0D0A0D0A000D0A515549540A";
    private const string Ipv4 = Signature + "2111000C" + "C0000201" + "C6336402" + "1267" + "1F4A";
    private const string Local = Signature + "20000000";

    [Fact]
    public void An_IPv4_address_and_names_are_a_proxied_connection()
    {
        var connect = new Connect { DialerAddress = "192.0.2.1:4711 198.51.100.2:8010", Dialled = "testdom", Dialer = { "alice.d", "b" } };
        Assert.Equal(Ipv4, Hex(connect, withNames: false));

        // Authority 3 + 7; SSL 3 + 5 and in it the common name 3 + 7; two names 3 + 7 and 3 + 1.
        var expected = Ipv4.Replace("2111000C", "21110036", StringComparison.Ordinal)
            + "020007" + Ascii("testdom") + "20000F" + "0300000000" + "220007" + Ascii("alice.d") + "E00007" + Ascii("alice.d") + "E00001" + Ascii("b");
        Assert.Equal(expected, Hex(connect, withNames: true));
        connect.Dialer.Clear();
        Assert.EndsWith("020007" + Ascii("testdom"), Hex(connect, withNames: true));
    }

    [Fact]
    public void An_IPv6_address_is_one_of_IPv6()
    {
        var connect = new Connect { DialerAddress = "[2001:db8::1]:1 [::1]:2" };
        Assert.Equal(
            Signature + "21210024" + "20010DB8000000000000000000000001" + "00000000000000000000000000000001" + "0001" + "0002", Hex(connect, withNames: true));
    }

    [Theory]
    [InlineData("")]
    [InlineData("192.0.2.1:4711")]
    [InlineData("192.0.2.1:4711 [::1]:2")]
    [InlineData("a.b:1 c.d:2")]
    public void An_address_that_is_not_known_is_a_connection_of_the_agents_own(string address) =>
        Assert.Equal(Local, Hex(new Connect { DialerAddress = address, Dialled = "testdom", Dialer = { "alice.d" } }, withNames: true));

    [Fact]
    public void Names_that_are_too_long_together_are_left_out()
    {
        var connect = new Connect { DialerAddress = "192.0.2.1:4711 198.51.100.2:8010", Dialled = "testdom" };
        connect.Dialer.AddRange(Enumerable.Range(0, 100).Select(i => new string('x', 200)));
        var header = ProxyHeader.Of(connect, withNames: true);
        Assert.InRange(header.Length, 3800, 4096);
        Assert.Equal(header.Length - 16, (header.Span[14] << 8) + header.Span[15]);
    }

    [Theory, PlainAndTls]
    public async Task A_service_gets_it_before_any_byte_of_each_dial_on_a_leg(bool tls)
    {
        await StartAsync(tls, options => options.ProxyProtocol = [$"{ServicePort}"]);
        var (leg, service) = await BeginAsync();
        Assert.Equal(Local, Convert.ToHexString(await service.ReadExactlyAsync(16)));
        await EndAsync(leg, service);
        await AskAsync(leg, "id-1", open => (open.DialerAddress, open.Dialled) = ("192.0.2.1:4711 198.51.100.2:8010", "testdom"));
        Assert.Equal(Frames.Opened, await leg.ReadExactlyAsync(4));
        service = Closing(await AcceptServiceAsync());
        var header = Ipv4.Replace("2111000C", "21110016", StringComparison.Ordinal) + "020007" + Ascii("testdom");
        Assert.Equal(header, Convert.ToHexString(await service.ReadExactlyAsync(header.Length / 2)));
        await EndAsync(leg, service);
    }

    private static string Ascii(string text) => Convert.ToHexString(Encoding.ASCII.GetBytes(text));

    private static string Hex(Connect connect, bool withNames) => Convert.ToHexString(ProxyHeader.Of(connect, withNames).Span);
}
