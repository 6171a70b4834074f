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
        Assert.Equal([80, 65535], settings.Ports.Keys);
    }

    [Theory]
    [InlineData("80", "10.1.2.3:80")]
    [InlineData("80=8080", "10.1.2.3:8080")]
    [InlineData("80=10.0.0.7:8443", "10.0.0.7:8443")]
    [InlineData("80=App.Internal:8443", "app.internal:8443")]
    [InlineData("80=[::1]:8443", "[::1]:8443")]
    [InlineData("80=unix:/run/app.sock", "unix:/run/app.sock")]
    [InlineData("80=unix:a=b:c", "unix:a=b:c")]
    public void A_published_port_has_a_target(string entry, string target)
    {
        var settings = AgentSettings.Check(Valid(o => (o.TargetHost, o.Ports) = ("10.1.2.3", [PublishedPort.Read("--ports", entry)])));
        Assert.Equal($"80={target}", settings.Published);
    }

    [Theory]
    [InlineData("=80", "does not begin with a port")]
    [InlineData("x=80", "does not begin with a port")]
    [InlineData("+80=80", "does not begin with a port")]
    [InlineData("80 =80", "does not begin with a port")]
    [InlineData("65536=80", "does not begin with a port")]
    [InlineData("80=", "what follows the = is neither a port, nor HOST:PORT, nor unix:PATH")]
    [InlineData("80=0", "what follows the = is neither")]
    [InlineData("80=65536", "what follows the = is neither")]
    [InlineData("80=-1", "what follows the = is neither")]
    [InlineData("80=81=82", "what follows the = is neither")]
    [InlineData("80=:81", "what follows the = is neither")]
    [InlineData("80=host", "what follows the = is neither")]
    [InlineData("80=host:0", "what follows the = is neither")]
    [InlineData("80=a b:81", "what follows the = is neither")]
    [InlineData("80=::1:81", "what follows the = is neither")]
    [InlineData("80=UNIX:/run/app.sock", "what follows the = is neither")]
    [InlineData("80=unix:", "the path of a Unix socket has 1 to 107 bytes")]
    public void An_entry_that_is_none_is_named_as_it_was_written(string entry, string problem)
    {
        var error = Assert.Throws<WhipOptionException>(() => AgentSettings.Check(Valid(o => o.Ports = [PublishedPort.Read("Ports", entry)])));
        Assert.StartsWith($"Ports \"{entry}\": {problem}", error.Message);
    }

    [Fact]
    public void The_path_of_a_unix_socket_has_107_bytes_at_most()
    {
        AgentSettings.Check(Valid(o => o.Ports = [new(80, $"unix:/{new string('x', 106)}")]));
        Assert.Throws<WhipOptionException>(() => AgentSettings.Check(Valid(o => o.Ports = [new(80, $"unix:/{new string('x', 107)}")])));
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
        { o => o.Ports = [new(0, "80")], "Ports \"0\": not a number in range" },
        { o => o.Ports = [new(80, "81"), new(80, "82")], "Ports \"80=82\": port 80 has another target already; try one target for each" },
        { o => o.Ports = [.. Enumerable.Range(1, 65)], "Ports \"65 ports\": too many; try up to 64" },
        { o => o.Endpoints = [], "Endpoints: required; try 127.0.0.1:50051" },
        { o => o.Endpoints = ["broker"], "Endpoints \"broker\": not a HOST:PORT" },
        { o => o.TargetHost = "a b", "TargetHost \"a b\": not a host name or address" },
        { o => o.Homes = 0, "Homes \"0\"" },
        { o => o.Checks = ["5052=tcp"], "Checks \"5052=tcp\": port 5052 is not in Ports; try one that is" },
        { o => o.Checks = ["5051=tcp", "5051=http:/"], "Checks \"5051=http:/\": the port has a check already; try one for each" },
        { o => o.Checks = ["tcp"], "Checks \"tcp\": does not begin with a port from 1 to 65535 and a =; try 80=tcp or 80=http:/healthz" },
        { o => o.Checks = ["x=tcp"], "Checks \"x=tcp\": does not begin with a port" },
        { o => o.Checks = ["5051="], "Checks \"5051=\": what follows the = is neither tcp nor http: and a path; try 80=tcp or 80=http:/healthz" },
        { o => o.Checks = ["5051=udp"], "Checks \"5051=udp\": what follows the = is neither" },
        { o => o.Checks = ["5051=http:"], "Checks \"5051=http:\": what follows the = is neither" },
        { o => o.Checks = ["5051=http:healthz"], "Checks \"5051=http:healthz\": what follows the = is neither" },
        { o => o.Checks = ["5051=http:/a b"], "Checks \"5051=http:/a b\": what follows the = is neither" },
        { o => o.ProxyProtocol = ["5052"], "ProxyProtocol \"5052\": port 5052 is not in Ports; try one that is" },
        { o => o.ProxyProtocol = ["5051", "5051=address"], "ProxyProtocol \"5051=address\": port 5051 is there already; try each port once" },
        { o => o.ProxyProtocol = ["5051=names"], "ProxyProtocol \"5051=names\": neither a port nor a port and =address; try 80 or 80=address" },
        { o => o.CheckInterval = TimeSpan.FromMilliseconds(99), "CheckInterval \"99ms\": too short; try at least 100ms" },
        { o => o.CheckTimeout = TimeSpan.Zero, "CheckTimeout \"0s\": must be longer than 0" },
        { o => o.CheckThreshold = 0, "CheckThreshold \"0\": not a number in range; try a number from 1 to 100" },
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
