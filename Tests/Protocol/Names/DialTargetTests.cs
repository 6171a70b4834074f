using Whip.Protocol.Dialing;
using Whip.Protocol.Names;

namespace Whip.Tests.Protocol.Names;

public sealed class DialTargetTests
{
    [Theory]
    [InlineData("instance1.testdom:5051")]
    [InlineData("INSTANCE1.TestDom:5051")]
    [InlineData("instance1.testdom.:5051")]
    public void Every_spelling_of_a_name_is_one_target(string text)
    {
        Assert.True(DialTarget.TryParse(text, out var target, out _));

        Assert.Equal(DialTarget.Of("instance1.testdom", 5051), target);
        Assert.Equal("instance1.testdom:5051", target.ToString());
        Assert.Equal(new DialRequest("instance1.testdom", 5051), new DialRequest(text[..^5], 5051));
    }

    [Theory]
    [InlineData("instance1.testdom", "is not host:port")]
    [InlineData("instance1.testdom:", "is not host:port")]
    [InlineData("instance1.testdom:0", "a port of 1 to 65535")]
    [InlineData("instance1.testdom:65536", "a port of 1 to 65535")]
    [InlineData("instance1.testdom:-1", "a port of 1 to 65535")]
    [InlineData(":80", "\"\" is not a DNS name")]
    [InlineData("a b:80", "\"a b\" is not a DNS name")]
    [InlineData("127.0.0.1:80", "is not a DNS name")]
    [InlineData("[::1]:80", "is not a DNS name")]
    [InlineData("a\u0007b:x", "\"a?b:x\" is not host:port")]
    public void Anything_else_is_refused_in_one_line_that_quotes_it(string text, string problem)
    {
        Assert.False(DialTarget.TryParse(text, out _, out var line));

        Assert.Contains(problem, line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_longer_than_253_bytes_is_refused()
    {
        var label = new string('a', 62) + ".";
        var longest = string.Concat(Enumerable.Repeat(label, 4)) + "b";

        Assert.True(DialTarget.TryCreate(longest, 1, out _, out _));
        Assert.False(DialTarget.TryCreate("b" + longest, 1, out _, out _));
        Assert.Throws<ArgumentException>(() => DialTarget.Of("b" + longest, 1));
    }
}
