using Whip.Broker.Policy;
using Whip.Protocol.Names;

namespace Whip.Tests.Broker.Policy;

public sealed class DialPolicyTests
{
    private static readonly string[] Admin = ["admin.ops", "spiffe://ops/admin"];
    private static readonly string[] Guest = ["guest.lab"];
    private static readonly string[] Plain = [];

    [Fact]
    public void The_first_rule_that_matches_decides_and_none_is_no()
    {
        var policy = DialPolicy.Parse("""
            [
              {"dialer": "guest.*", "name": "*", "ports": [22], "allow": false},
              {"dialer": "*.lab", "name": "*.testdom", "allow": true}, // comments and a last comma are fine
              {"dialer": "spiffe://ops/*", "name": "*", "ports": [22, 80], "allow": true},
            ]
            """);
        Assert.Equal(3, policy.RuleCount);
        Assert.False(policy.Allows(Guest, DialTarget.Of("a.testdom", 22)));
        Assert.True(policy.Allows(Guest, DialTarget.Of("a.testdom", 80)));
        Assert.True(policy.Allows(Guest, DialTarget.Of("b.a.testdom", 80)));
        Assert.False(policy.Allows(Guest, DialTarget.Of("testdom", 80)));
        Assert.True(policy.Allows(Admin, DialTarget.Of("testdom", 22)));
        Assert.False(policy.Allows(Admin, DialTarget.Of("testdom", 443)));
    }

    [Theory]
    [InlineData("*", true)]
    [InlineData("**", false)]
    [InlineData("?*", false)]
    [InlineData("", false)]
    public void A_dialer_without_a_certificate_matches_only_a_star(string glob, bool allowed)
    {
        if (glob.Length == 0)
        {
            Assert.Throws<FormatException>(() => Allow(glob));
            return;
        }

        Assert.Equal(allowed, Allow(glob).Allows(Plain, DialTarget.Of("a.testdom", 80)));
        Assert.True(Allow(glob).Allows(Guest, DialTarget.Of("a.testdom", 80)));
    }

    [Theory]
    [InlineData("admin.ops", true)]
    [InlineData("ADMIN.ops", true)]
    [InlineData("*.ops", true)]
    [InlineData("adm?n.ops", true)]
    [InlineData("admin.ops.", false)]
    [InlineData("admin", false)]
    [InlineData("dmin.ops", false)]
    [InlineData("spiffe://ops/*", true)]
    [InlineData("[a-z]*", false)]
    public void A_dialer_glob_is_over_each_of_the_leafs_names(string glob, bool allowed) =>
        Assert.Equal(allowed, Allow(glob).Allows(Admin, DialTarget.Of("a.testdom", 80)));

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[null]")]
    [InlineData("[1]")]
    [InlineData("[{}]")]
    [InlineData("[")]
    [InlineData("""[{"dialer": "*", "name": "*"}]""")]
    [InlineData("""[{"dialer": null, "name": "*", "allow": true}]""")]
    [InlineData("""[{"dialer": "", "name": "*", "allow": true}]""")]
    [InlineData("""[{"dialer": "*", "name": "", "allow": true}]""")]
    [InlineData("""[{"dialer": "*", "name": "*", "allow": "yes"}]""")]
    [InlineData("""[{"dialer": "*", "name": "*", "allow": true, "port": [1]}]""")]
    [InlineData("""[{"dialer": "*", "name": "*", "allow": true, "allow": false}]""")]
    [InlineData("""[{"dialer": "*", "name": "*", "allow": true, "ports": []}]""")]
    [InlineData("""[{"dialer": "*", "name": "*", "allow": true, "ports": [0]}]""")]
    [InlineData("""[{"dialer": "*", "name": "*", "allow": true, "ports": [65536]}]""")]
    [InlineData("""[{"dialer": "*", "name": "*", "allow": true, "ports": "80"}]""")]
    public void What_is_no_policy_is_refused_whole(string text) => Assert.NotEmpty(Assert.Throws<FormatException>(() => DialPolicy.Parse(text)).Message);

    [Fact]
    public void A_bad_rule_is_told_by_its_number() => Assert.StartsWith("rule 2: ", Assert.Throws<FormatException>(() => DialPolicy.Parse("""
        [
          {"dialer": "*", "name": "a", "allow": true},
          {"dialer": "*", "name": "a", "allow": true, "ports": [0]}
        ]
        """)).Message);

    [Fact]
    public void An_empty_policy_allows_nothing() => Assert.False(DialPolicy.Parse("[]").Allows(Admin, DialTarget.Of("a.testdom", 80)));

    private static DialPolicy Allow(string glob) => DialPolicy.Parse($$"""[{"dialer": "{{glob}}", "name": "*", "allow": true}]""");
}
