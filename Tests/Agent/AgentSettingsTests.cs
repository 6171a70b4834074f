using Whip.Agent;
using Whip.Protocol.Options;

namespace Whip.Tests.Agent;

public sealed class AgentSettingsTests
{
    [Fact]
    public void A_name_is_normalised_and_ports_count_once()
    {
        var settings = AgentSettings.Check(Valid(o => (o.Hostname, o.Domain, o.Ports) = ("Instance1", "Test.Dom.", [80, 80, 65535])));
        Assert.Equal("instance1.test.dom", settings.Name.FullName);
        Assert.Equal([80, 65535], settings.Ports);
    }

    public static TheoryData<Action<WhipAgentOptions>, string> Wrong => new()
    {
        { o => o.Hostname = "a.b", "Hostname \"a.b\": not a DNS label; try instance1" },
        { o => o.Hostname = "", "Hostname \"\"" },
        { o => o.Domain = "", "Domain: required; try testdom" },
        { o => o.Domain = "-x", "Domain \"-x\": not a DNS name" },
        { o => o.Ports = [], "Ports: required" },
        { o => o.Ports = [80, 0], "Ports \"0\": not a number in range; try a number from 1 to 65535" },
        { o => o.Ports = [65536], "Ports \"65536\"" },
        { o => o.Ports = [.. Enumerable.Range(1, 65)], "Ports \"65 ports\": too many; try up to 64" },
        { o => o.Endpoints = [], "Endpoints: required; try 127.0.0.1:50051" },
        { o => o.Endpoints = ["broker"], "Endpoints \"broker\": not a HOST:PORT" },
        { o => o.TargetHost = "a b", "TargetHost \"a b\": not a host name or address" },
        { o => o.Homes = 0, "Homes \"0\"" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void An_option_that_cannot_work_is_named_with_its_value_and_what_to_try(Action<WhipAgentOptions> spoil, string message) =>
        Assert.StartsWith(message, Assert.Throws<WhipOptionException>(() => AgentSettings.Check(Valid(spoil))).Message);

    [Theory]
    [InlineData("*", "x", true)]
    [InlineData("*.clients", "a.clients", true)]
    [InlineData("*.clients", "A.CLIENTS", true)]
    [InlineData("*.clients", "a.other", false)]
    [InlineData("spiffe://x/?", "spiffe://x/1", true)]
    [InlineData("a", "aa", false)]
    public void A_dialer_is_allowed_by_any_of_its_names(string pattern, string name, bool allowed)
    {
        var settings = AgentSettings.Check(Valid(o => o.AllowDialers = ["never", pattern]));
        Assert.Equal(allowed, settings.AllowsDialer(["other", name]));
        Assert.False(settings.AllowsDialer([]));
    }

    [Fact]
    public void Without_patterns_everyone_is_allowed() => Assert.True(AgentSettings.Check(Valid(_ => { })).AllowsDialer([]));

    private static WhipAgentOptions Valid(Action<WhipAgentOptions> change)
    {
        var options = new WhipAgentOptions { Hostname = "a", Domain = "testdom", Ports = [5051], Endpoints = [":50051"] };
        change(options);
        return options;
    }
}
