using Whip.Hosting.Flags;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Hosting.Flags;

public sealed class FlagSetTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, string> _environment = [];
    private readonly FlagSet _flags = new("whip-x", "Does x.", metricsListen: ":8080");
    private readonly Flag<string> _domain;
    private readonly Flag<int> _count;
    private readonly Flag<ListenAddress> _listen;
    private readonly Flag<IReadOnlyList<int>> _ports;
    private readonly Flag<IReadOnlyList<string>> _globs;
    private readonly Flag<TimeSpan> _timeout;
    private readonly Flag<string> _external;
    private readonly Flag<int> _whipPort;
    private readonly Flag<IReadOnlyList<string>> _endpoints;

    public FlagSetTests()
    {
        _domain = _flags.Text("domain", "testdom", "The domain.");
        _count = _flags.Number("count", 3, "How many.", 1, 10);
        _listen = _flags.Listen("grpc-listen", ":50051", "Where to listen.");
        _ports = _flags.Ports("ports", "What to publish.");
        _globs = _flags.Texts("globs", "Who may dial.");
        _timeout = _flags.Duration("drain-timeout", TimeSpan.FromSeconds(90), "How long.");
        _external = _flags.HostPort("external-tcp", "What agents are told.");
        _whipPort = _flags.Port("whip-tcp-listen-port", 8000, "The agents' port.");
        _endpoints = _flags.PositionalHostPorts("endpoints", "The brokers.");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Each_flag_is_taken_from_the_command_line_then_the_environment_then_the_file_then_its_default()
    {
        var config = Config("""{ "domain": "file", "count": 4, "ports": [1, 2], /* why not */ "tls": false, }""");
        Assert.Equal("testdom", Parse().Get(_domain));
        Assert.Equal("file", Parse("--config", config).Get(_domain));
        _environment["WHIP_DOMAIN"] = "environment";
        Assert.Equal("environment", Parse("--config", config).Get(_domain));
        Assert.Equal("line", Parse("--config", config, "--domain=line").Get(_domain));

        _environment["WHIP_CONFIG"] = config;
        Assert.Equal(4, Parse().Get(_count));
        Assert.Equal([1, 2], Parse().Get(_ports));
        Assert.True(Parse().LoopbackOnly);
    }

    [Theory]
    [InlineData(true, "")]
    [InlineData(true, "--tls")]
    [InlineData(true, "--tls=true")]
    [InlineData(false, "--tls=false")]
    [InlineData(false, "--tls false")]
    [InlineData(false, "--tls False broker:1")]
    [InlineData(true, "--tls broker:1")]
    public void A_switch_takes_its_value_with_or_without_an_equals_sign(bool expected, string line)
    {
        var values = Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(expected, values.TlsOptions.Enabled);
        Assert.Equal(line.EndsWith(":1", StringComparison.Ordinal) ? ["broker:1"] : [], values.Get(_endpoints));
    }

    [Fact]
    public void Lists_are_repeated_or_hold_commas()
    {
        _environment["WHIP_GLOBS"] = "*.a, b ,";
        var values = Parse("--ports", "5051,5052", "a:1", "--ports=5053", "--", "[::1]:2");
        Assert.Equal([5051, 5052, 5053], values.Get(_ports));
        Assert.Equal(["*.a", "b"], values.Get(_globs));
        Assert.Equal(["a:1", "[::1]:2"], values.Get(_endpoints));
    }

    [Fact]
    public void Empty_text_turns_a_listener_off_and_takes_nothing_from_the_next_argument()
    {
        Assert.Equal(new ListenAddress("", 8080), Parse().Get(_flags.Common.MetricsListen));
        Assert.Null(Parse("--metrics-listen=", "a:1").Get(_flags.Common.MetricsListen));
        Assert.Null(Parse("--metrics-listen", "").Get(_flags.Common.MetricsListen));
        Assert.Null(Parse("--metrics-listen", "off").Get(_flags.Common.MetricsListen));
    }

    [Fact]
    public void A_flag_whose_name_begins_with_whip_has_one_WHIP_in_its_variable()
    {
        _environment["WHIP_TCP_LISTEN_PORT"] = "7";
        Assert.Equal(7, Parse().Get(_whipPort));
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("250ms", 250)]
    [InlineData("5s", 5_000)]
    [InlineData("1m30s", 90_000)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData("720h", 2_592_000_000)]
    public void Durations_are_numbers_with_units(string text, double milliseconds) =>
        Assert.Equal(milliseconds, Parse("--drain-timeout", text).Get(_timeout).TotalMilliseconds);

    [Theory]
    [InlineData("--nosuch=1", "--nosuch: whip-x has no such flag; try --help")]
    [InlineData("-x", "-x: whip-x has no such flag; try --help")]
    [InlineData("--tls=maybe", "--tls \"maybe\": neither true nor false; try true or false")]
    [InlineData("--domain", "--domain: has no value; try --domain TEXT")]
    [InlineData("--count=1 --count=2", "--count \"2\": given more than once; try giving it once")]
    [InlineData("--count 11", "--count \"11\": not a number in range; try a number from 1 to 10")]
    [InlineData("--count 1e1", "--count \"1e1\": not a number in range; try a number from 1 to 10")]
    [InlineData("--ports 5051,65536", "--ports \"65536\": not a number in range; try a number from 1 to 65535")]
    [InlineData("--grpc-listen x", "--grpc-listen \"x\": not a HOST:PORT; try 127.0.0.1:50051 or :50051")]
    [InlineData("--grpc-listen=", "--grpc-listen \"\": not a HOST:PORT; try 127.0.0.1:50051 or :50051")]
    [InlineData("--grpc-listen a_b!:1", "--grpc-listen \"a_b!:1\": not a HOST:PORT; try 127.0.0.1:50051 or :50051")]
    [InlineData("--grpc-listen ::1", "--grpc-listen \"::1\": not a HOST:PORT; try 127.0.0.1:50051 or :50051")]
    [InlineData("--external-tcp host:0", "--external-tcp \"host:0\": not a HOST:PORT; try broker.example.com:50051")]
    [InlineData("host", "endpoints \"host\": not a HOST:PORT; try broker.example.com:50051")]
    [InlineData("--drain-timeout 5", "--drain-timeout \"5\": not a duration; try a number and a unit, such as 250ms, 5s, 1m30s or 720h")]
    [InlineData("--drain-timeout -5s", "--drain-timeout \"-5s\": not a duration; try a number and a unit, such as 250ms, 5s, 1m30s or 720h")]
    [InlineData("--drain-timeout 1001h", "--drain-timeout \"1001h\": too long; try at most 1000h")]
    [InlineData("--log-level loud", "--log-level \"loud\": not one of the choices; try trace, debug, info, warn, error, fatal")]
    [InlineData("--config /nowhere/whip.json", "--config \"/nowhere/whip.json\": no such file; try the path of a file that exists")]
    [InlineData("--domain=\u001b[31mred\n --count 0", "--count \"0\": not a number in range; try a number from 1 to 10")]
    [InlineData("--log-level=\u001b[31mred\n", "--log-level \"?[31mred?\": not one of the choices; try trace, debug, info, warn, error, fatal")]
    public void What_is_wrong_is_told_with_flag_value_and_what_to_try(string line, string expected) =>
        Assert.Equal(expected, Assert.Throws<StartupException>(() => Parse(line.Split(' '))).Message);

    [Fact]
    public void A_wrong_variable_is_told_by_its_name()
    {
        _environment["WHIP_TLS"] = "on";
        Assert.Equal("WHIP_TLS \"on\": neither true nor false; try true or false", Assert.Throws<StartupException>(() => Parse()).Message);
    }

    [Theory]
    [InlineData("""{ "nosuch": 1 }""", ": nosuch: whip-x has no such flag; try whip-x --help")]
    [InlineData("""{ "config": "x" }""", ": config: whip-x has no such flag; try whip-x --help")]
    [InlineData("""{ "tls": "false" }""", ": tls \"\"false\"\": of the wrong type; try true or false without quotes")]
    [InlineData("""{ "count": "4" }""", ": count \"\"4\"\": of the wrong type; try a number without quotes")]
    [InlineData("""{ "count": 4.5 }""", ": count \"4.5\": not a number in range; try a number from 1 to 10")]
    [InlineData("""{ "domain": null }""", ": domain \"null\": of the wrong type; try a text in quotes")]
    [InlineData("""{ "ports": 5051 }""", ": ports \"5051\": not a list; try [5051]")]
    [InlineData("""{ "ports": ["5051"] }""", ": ports \"\"5051\"\": of the wrong type; try a number without quotes")]
    [InlineData("[]", "\": not a JSON object; try { \"log-level\": \"info\" }")]
    [InlineData("""{ "count": 1, "count": 2 }""", "\": not JSON: ")]
    [InlineData("{", "\": not JSON: ")]
    public void What_is_wrong_in_the_file_is_told_with_file_and_key(string json, string expected)
    {
        var config = Config(json);
        var message = Assert.Throws<StartupException>(() => Parse("--config", config)).Message;
        Assert.Contains(config + expected, message);
    }

    [Fact]
    public void Help_names_every_flag_with_its_unit_default_and_variable()
    {
        var help = Parse("--nosuch", "-h").Answer!;
        foreach (var flag in _flags.All)
        {
            Assert.Contains($"--{flag.Name}{(flag.IsSwitch ? "[=true|false]" : $" {flag.Unit}")}\n        {flag.Help}", help);
            Assert.Contains($"{(flag.DefaultText.Length == 0 ? "No default" : $"Default {flag.DefaultText}")}; environment {flag.Variable}.\n", help);
        }

        Assert.Contains("Default 90s;", help.Replace("1m30s", "90s"));
        Assert.Contains("[HOST:PORT...]", help);
        Assert.All(help.Split('\n'), line => Assert.InRange(line.Length, 0, 140));
    }

    [Fact]
    public void Version_is_answered() => Assert.Matches(@"^whip-x \d+\.\d+\.\d+\n$", Parse("--version").Answer);

    private FlagValues Parse(params string[] args) => _flags.Parse(args, name => _environment.GetValueOrDefault(name));

    private string Config(string json) => _folder.Write("whip.json", json);
}
