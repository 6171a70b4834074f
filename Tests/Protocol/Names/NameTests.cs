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
    [InlineData("a:80", "a", 80)]
    [InlineData(":0", "", 0)]
    [InlineData("[::1]:8010", "::1", 8010)]
    public void Host_and_port_split_at_the_last_colon(string text, string host, int port)
    {
        Assert.True(HostPort.TryParse(text, out var h, out var p));
        Assert.Equal((host, port), (h, p));
        Assert.Equal(text, HostPort.Format(h, p));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("a:")]
    [InlineData("a:65536")]
    [InlineData("a:-1")]
    [InlineData("a: 1")]
    [InlineData("::1:80")]
    public void A_bad_host_and_port_is_refused(string text) => Assert.False(HostPort.TryParse(text, out _, out _));

    [Fact]
    public void Hostile_text_becomes_printable_and_short()
    {
        Assert.Equal("a?[31mb", Printable.Clean("a\u001b[31mb"));
        Assert.Equal("??", Printable.Clean("\r\n"));
        Assert.Equal(256, Printable.Clean(new string('x', 1000)).Length);
        Assert.Equal("", Printable.Clean(null));
    }
}
