using Whip.Protocol.Names;

namespace Whip.Tests.Protocol.Names;

public sealed class NameTests
{
    [Theory]
    [InlineData("instance1.testdom", "instance1.testdom")]
    [InlineData("Instance1.TestDom.", "instance1.testdom")]
    [InlineData("a_b.x-1", "a_b.x-1")]
    [InlineData("1.testdom", "1.testdom")]
    public void A_name_is_lower_case_and_loses_one_final_dot(string text, string expected)
    {
        Assert.True(DnsName.TryNormalize(text, out var name));
        Assert.Equal(expected, name);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("a..b")]
    [InlineData("a.b..")]
    [InlineData("-a.b")]
    [InlineData("a-.b")]
    [InlineData("a b.c")]
    [InlineData("a\n.c")]
    [InlineData("ä.c")]
    [InlineData("*.c")]
    [InlineData("127.0.0.1")]
    [InlineData("1.2")]
    public void What_is_not_a_dns_name_is_refused(string text) => Assert.False(DnsName.TryNormalize(text, out _));

    [Fact]
    public void Lengths_are_bounded_at_63_and_253()
    {
        Assert.True(DnsName.TryNormalize(new string('a', 63), out _));
        Assert.False(DnsName.TryNormalize(new string('a', 64), out _));
        var longest = string.Join('.', Enumerable.Repeat(new string('a', 49), 5)) + ".bbb";
        Assert.Equal(253, longest.Length);
        Assert.True(DnsName.TryNormalize(longest, out _));
        Assert.False(DnsName.TryNormalize(longest + "b", out _));
    }

    [Fact]
    public void An_instance_is_its_first_label_and_the_rest()
    {
        Assert.True(InstanceName.TryParse("A.b.C", out var name));
        Assert.Equal(("a", "b.c"), (name.Hostname, name.Domain));
        Assert.False(InstanceName.TryParse("alone", out _));
        Assert.True(InstanceName.TryCreate("H", "d.e", out var created));
        Assert.Equal("h.d.e", created.FullName);
        Assert.False(InstanceName.TryCreate("h.i", "d", out _));
    }

    [Theory]
    [InlineData("a:80", "a", 80, "a:80")]
    [InlineData("Broker1.Example.:80", "broker1.example", 80, "broker1.example:80")]
    [InlineData("127.1:80", "127.0.0.1", 80, "127.0.0.1:80")]
    [InlineData("[::1]:8010", "::1", 8010, "[::1]:8010")]
    [InlineData("[FD00:0:0::1]:8010", "fd00::1", 8010, "[fd00::1]:8010")]
    [InlineData(":50051", "127.0.0.1", 50051, "127.0.0.1:50051")]
    [InlineData("a:0", "a", 7, "a:7")]
    public void Every_spelling_of_an_address_is_one_value(string text, string host, int port, string written)
    {
        Assert.True(HostPort.TryParse(text, out var address, emptyHost: "127.0.0.1", zeroPort: 7));

        Assert.Equal((host, port, written), (address.Host, address.Port, address.ToString()));
        Assert.Equal(HostPort.Of(host, port), address);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("a:")]
    [InlineData("a:0")]
    [InlineData("a:65536")]
    [InlineData("a:-1")]
    [InlineData("a: 1")]
    [InlineData(":80")]
    [InlineData("::1:80")]
    [InlineData("not a name:80")]
    [InlineData("user@host:80")]
    [InlineData("host/path:80")]
    public void What_is_not_an_address_is_refused(string text)
    {
        Assert.False(HostPort.TryParse(text, out var address));

        Assert.Equal((default, ""), (address, address.ToString()));
    }

    [Fact]
    public void Hostile_text_becomes_printable_and_short()
    {
        Assert.Equal("a?[31mb", Printable.Clean("a\u001b[31mb"));
        Assert.Equal("??", Printable.Clean("\r\n"));
        Assert.Equal(256, Printable.Clean(new string('x', 1000)).Length);
        Assert.Equal("", Printable.Clean(null));
    }
}
