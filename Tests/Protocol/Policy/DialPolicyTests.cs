using Whip.Protocol.Names;
using Whip.Protocol.Policy;

namespace Whip.Tests.Protocol.Policy;

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
        Assert.Equal(3, policy.Rules.Count);
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
    [InlineData("admin.ops.", true)]
    [InlineData("Admin.OPS.", true)]
    [InlineData("admin", false)]
    [InlineData("dmin.ops", false)]
    [InlineData("spiffe://ops/*", true)]
    [InlineData("[a-z]*", false)]
    [InlineData("spiffe://ops/admin.", false)]
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

    [Theory]
    [InlineData("", "the file is empty; a policy is a JSON array of rules")]
    [InlineData("[\n  {]", "not JSON at line 2, byte 4; a policy is a JSON array of rules")]
    [InlineData("{}", "a policy is a JSON array of rules {\"dialer\", \"name\", \"ports\", \"allow\"}")]
    [InlineData("""[{"dialer": "\ud800", "name": "*", "allow": true}]""", "a text in it has half of a \\u pair; a policy is a JSON array of rules")]
    [InlineData("""[{"\udc00": "*"}]""", "a text in it has half of a \\u pair; a policy is a JSON array of rules")]
    [InlineData("[1]", "rule 1: not an object with the keys dialer, name, ports and allow")]
    [InlineData("""[{"dailer": "*"}]""", "rule 1: dailer: not a key; the keys are dialer, name, ports and allow")]
    [InlineData("""[{"dialer": "*", "dialer": "*"}]""", "rule 1: dialer: given twice")]
    [InlineData("""[{"dialer": "*", "name": 1}]""", "rule 1: name: must be a pattern in quotes; \"*\" is any")]
    [InlineData("""[{"dialer": "*", "name": "a b"}]""", "rule 1: name: \"a b\" matches no dial: a name has no ' '")]
    [InlineData("""[{"dialer": "*", "name": "\u00e9.x"}]""", "rule 1: name: \"?.x\" matches no dial: a name has no characters beyond ASCII")]
    [InlineData("""[{"dialer": "a b", "name": "*"}]""", "rule 1: dialer: \"a b\" matches no certificate: it is not a DNS name, an address or a URI")]
    [InlineData("""[{"dialer": "*", "name": "*", "ports": ["x"]}]""", "rule 1: ports: must be an array of numbers from 1 to 65535; leave ports out for all")]
    [InlineData("""[{"dialer": "*", "name": "*", "allow": "yes"}]""", "rule 1: allow: must be true or false, without quotes")]
    public void What_is_wrong_is_told_by_rule_and_key_with_what_is_allowed(string text, string problem) =>
        Assert.StartsWith(problem, Assert.Throws<FormatException>(() => DialPolicy.Parse(text)).Message);

    [Theory]
    [InlineData("*", "*", "null", "mallory", "*", "null", true)]
    [InlineData("*.dialers", "*", "null", "a.dialers", "*.testdom", "[22]", true)]
    [InlineData("*", "*.testdom", "[22, 80]", "*", "A.testdom.", "[80]", true)]
    [InlineData("*", "a?", "null", "*", "ab", "null", true)]
    [InlineData("**", "*", "null", "*", "*", "null", false)]
    [InlineData("*", "a?", "null", "*", "a*", "null", false)]
    [InlineData("*", "*.testdom", "[22]", "*", "*.testdom", "null", false)]
    [InlineData("*", "*.testdom", "[22]", "*", "*.testdom", "[22, 80]", false)]
    [InlineData("a.dialers", "*", "null", "*", "*", "null", false)]
    public void A_rule_that_leaves_nothing_to_one_behind_it_is_refused(
        string dialer, string name, string ports, string dialer2, string name2, string ports2, bool isRefused)
    {
        var text = $$"""
            [{"dialer": "{{dialer}}", "name": "{{name}}", "ports": {{ports}}, "allow": true},
             {"dialer": "{{dialer2}}", "name": "{{name2}}", "ports": {{ports2}}, "allow": false}]
            """;
        var problem = Record.Exception(() => DialPolicy.Parse(text));
        Assert.Equal(isRefused ? "rule 2: matches no dial: rule 1, before it, matches all of its dials" : null, problem?.Message);
    }

    [Fact]
    public void Names_are_compared_in_one_form()
    {
        var policy = DialPolicy.Parse("""
            [
              {"dialer": "Mallory.Dialers.", "name": "*", "allow": false},
              {"dialer": "*", "name": "Secret.Testdom.", "allow": false},
              {"dialer": "*", "name": "*", "allow": true}
            ]
            """);
        Assert.Equal(1, policy.Find(["mallory.dialers."], DialTarget.Of("a.testdom", 80))!.Number);
        Assert.Equal(2, policy.Find(Guest, DialTarget.Of("secret.testdom.", 80))!.Number);
        Assert.Equal(3, policy.Find(Guest, DialTarget.Of("a.testdom", 80))!.Number);
    }

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
