using Whip.Protocol.Names;

namespace Whip.Tests.Protocol.Names;

public sealed class NameGlobTests
{
    [Theory]
    [InlineData("*", "", true)]
    [InlineData("*", "a.b", true)]
    [InlineData("**a", "a", true)]
    [InlineData("a*", "a", true)]
    [InlineData("a*b*c", "a.xbyb.c", true)]
    [InlineData("a*b*c", "a.xbyb.cd", false)]
    [InlineData("*.ab", "x.aab", false)]
    [InlineData("*ab", "x.aab", true)]
    [InlineData("?", "", false)]
    [InlineData("?", "a", true)]
    [InlineData("a.?", "a.bc", false)]
    [InlineData("Mallory.Dialers.", "mallory.dialers", true)]
    [InlineData("mallory.dialers", "MALLORY.dialers.", true)]
    [InlineData("*.dialers.", "mallory.dialers", true)]
    [InlineData("mallory.dialers", "mallory.dialers..", false)]
    [InlineData(@"\*", "*", false)]
    [InlineData(@"\*", @"\a", true)]
    [InlineData("spiffe://a/b.", "spiffe://a/b.", true)]
    [InlineData("spiffe://a/b.", "spiffe://a/b", false)]
    [InlineData("::0001", "::1", true)]
    public void Only_star_and_question_mark_are_special(string pattern, string name, bool matches)
    {
        Assert.True(NameGlob.TryOfCertificate(pattern, out var glob, out _));
        Assert.Equal(matches, glob.Matches(name));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a..b")]
    [InlineData(".testdom")]
    [InlineData("testdom..")]
    [InlineData("*.")]
    [InlineData("-a.testdom")]
    [InlineData("*-.testdom")]
    [InlineData("a.testdom:80")]
    [InlineData(@"\*.testdom")]
    [InlineData("[ab].testdom")]
    [InlineData("127.0.0.1")]
    [InlineData("tést.testdom")]
    public void A_pattern_that_no_dial_can_match_is_refused(string pattern) => Assert.False(NameGlob.TryOfDialled(pattern, out _, out _));

    [Fact]
    public void A_pattern_longer_than_any_name_is_refused()
    {
        Assert.False(NameGlob.TryOfDialled($"{new string('a', 64)}.testdom", out _, out _));
        Assert.False(NameGlob.TryOfDialled(string.Join('.', Enumerable.Repeat("abc?", 60)) + "*", out _, out _));
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("")]
    [InlineData("a..b")]
    [InlineData("é*")]
    public void A_pattern_that_no_certificate_can_match_is_refused(string pattern) => Assert.False(NameGlob.TryOfCertificate(pattern, out _, out _));
}
