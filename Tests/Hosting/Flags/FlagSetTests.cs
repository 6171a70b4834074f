using Whip.Hosting.Flags;
using Whip.Protocol.Options;

namespace Whip.Tests.Hosting.Flags;

public sealed class FlagSetTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, string> _environment = [];
    private readonly TestFlags _flags = new(metricsListen: ":8080");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Each_flag_is_taken_from_the_command_line_then_the_environment_then_the_file_then_its_default()
    {
        var config = Config("""{ "domain": "file", "count": 4, "ports": [1, 2], /* why not */ "tls": false, }""");
        Assert.Equal("testdom", Options().Domain);
        Assert.Equal("file", Options("--config", config).Domain);
        _environment["WHIP_DOMAIN"] = "environment";
        Assert.Equal("environment", Options("--config", config).Domain);
        Assert.Equal("line", Options("--config", config, "--domain=line").Domain);

        _environment["WHIP_CONFIG"] = config;
        Assert.Equal(4, Options().Count);
        Assert.Equal([1, 2], Options().Ports);
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
        var options = Options(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(expected, options.Tls.Enabled);
        Assert.Equal(line.EndsWith(":1", StringComparison.Ordinal) ? ["broker:1"] : [], options.Endpoints);
    }

    [Fact]
    public void Lists_are_repeated_or_hold_commas()
    {
        _environment["WHIP_GLOBS"] = "*.a, b ,";
        var options = Options("--ports", "5051,5052", "a:1", "--ports=5053", "--", "[::1]:2");
        Assert.Equal([5051, 5052, 5053], options.Ports);
        Assert.Equal(["*.a", "b"], options.Globs);
        Assert.Equal(["a:1", "[::1]:2"], options.Endpoints);
    }

    [Fact]
    public void A_list_of_numbers_or_texts_has_both_in_the_file() =>
        Assert.Equal(["80", "81=82"], Options("--config", Config("""{ "targets": [80, "81=82"] }""")).Targets);

    [Fact]
    public void Empty_text_turns_a_listener_off_and_takes_nothing_from_the_next_argument()
    {
        Assert.Equal(new ListenAddress("", 8080), Metrics());
        Assert.Null(Metrics("--metrics-listen=", "a:1"));
        Assert.Null(Metrics("--metrics-listen", ""));
        Assert.Null(Metrics("--metrics-listen", "off"));
        Assert.Equal(["a:1"], Options("--metrics-listen=", "a:1").Endpoints);

        ListenAddress? Metrics(params string[] args) => ListenAddress.ParseOrOff("metrics-listen", Parse(args).Program.MetricsListen);
    }

    [Fact]
    public void A_flag_whose_name_begins_with_whip_has_one_WHIP_in_its_variable()
    {
        _environment["WHIP_TCP_LISTEN_PORT"] = "7";
        Assert.Equal(7, Options().WhipTcpListenPort);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("250ms", 250)]
    [InlineData("5s", 5_000)]
    [InlineData("1m30s", 90_000)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData("720h", 2_592_000_000)]
    public void Durations_are_numbers_with_units(string text, double milliseconds) =>
        Assert.Equal(milliseconds, Options("--drain-timeout", text).DrainTimeout.TotalMilliseconds);

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
        Assert.Equal(expected, Assert.Throws<WhipOptionException>(() => Parse(line.Split(' '))).Message);

    [Theory]
    [InlineData("--restrict", "")]
    [InlineData("--restrict", " , ")]
    [InlineData("--restrict-file", "")]
    public void A_restriction_that_is_empty_is_refused_from_every_source(string flag, string value)
    {
        var expected = flag == "--restrict" ? "TEXT" : "FILE";
        Assert.Equal(
            $"{flag} \"\": is empty, and would restrict nobody; try {expected}, or no such flag",
            Assert.Throws<WhipOptionException>(() => Parse(flag, value)).Message);
        var variable = "WHIP_" + flag[2..].Replace('-', '_').ToUpperInvariant();
        _environment[variable] = value;
        Assert.StartsWith($"{variable} \"\": is empty", Assert.Throws<WhipOptionException>(() => Parse()).Message);
    }

    [Fact]
    public void An_empty_variable_for_logs_is_as_one_that_is_not_set()
    {
        _environment["WHIP_LOG_LEVEL"] = _environment["WHIP_LOG_FORMAT"] = "";
        Assert.Equal(("info", "text"), (Parse().Program.LogLevel, Parse().Program.LogFormat));
    }

    [Fact]
    public void A_wrong_variable_is_told_by_its_name()
    {
        _environment["WHIP_TLS"] = "on";
        Assert.Equal("WHIP_TLS \"on\": neither true nor false; try true or false", Assert.Throws<WhipOptionException>(() => Parse()).Message);
    }

    [Theory]
    [InlineData("""{ "nosuch": 1 }""", ": nosuch: whip-x has no such flag; try whip-x --help")]
    [InlineData("""{ "config": "x" }""", ": config: whip-x has no such flag; try whip-x --help")]
    [InlineData("""{ "tls": "false" }""", ": tls \"false\": of the wrong type; try true or false without quotes")]
    [InlineData("""{ "count": "4" }""", ": count \"4\": of the wrong type; try a number without quotes")]
    [InlineData("""{ "count": 4.5 }""", ": count \"4.5\": not a number in range; try a number from 1 to 10")]
    [InlineData("""{ "domain": null }""", ": domain \"null\": of the wrong type; try a text in quotes")]
    [InlineData("""{ "ports": 5051 }""", ": ports \"5051\": not a list; try [5051]")]
    [InlineData("""{ "ports": ["5051"] }""", ": ports \"5051\": of the wrong type; try a number without quotes")]
    [InlineData("""{ "targets": [true] }""", ": targets \"True\": of the wrong type; try a number without quotes, or a text in quotes")]
    [InlineData("[]", "\": not a JSON object; try { \"log-level\": \"info\" }")]
    [InlineData("""{ "count": 1, "count": 2 }""", "\": not JSON: a key is given twice; try { \"log-level\": \"info\" }")]
    [InlineData("""{ "domain": "\ud800" }""", "\": a text in it has half of a \\u pair; try { \"log-level\": \"info\" }")]
    [InlineData("""{ "\udc00": 1 }""", "\": a text in it has half of a \\u pair; try { \"log-level\": \"info\" }")]
    [InlineData("{", "\": not JSON at line 1, byte 2; try { \"log-level\": \"info\" }")]
    public void What_is_wrong_in_the_file_is_told_with_file_and_key(string json, string expected)
    {
        var config = Config(json);
        var message = Assert.Throws<WhipOptionException>(() => Parse("--config", config)).Message;
        Assert.Contains(config + expected, message);
    }

    [Theory]
    [InlineData("command line", "--grpc-listen \"x\": not a HOST:PORT; try 127.0.0.1:50051 or :50051")]
    [InlineData("environment", "WHIP_GRPC_LISTEN \"x\": not a HOST:PORT; try 127.0.0.1:50051 or :50051")]
    [InlineData("file", "/whip.json: grpc-listen \"x\": not a HOST:PORT; try 127.0.0.1:50051 or :50051")]
    public void What_the_options_class_refuses_is_told_by_the_place_it_was_given(string source, string expected)
    {
        string[] args = source switch
        {
            "command line" => ["--grpc-listen=x"],
            "file" => ["--config", Config("""{ "grpc-listen": "x" }""")],
            _ => [],
        };
        if (source == "environment")
        {
            _environment["WHIP_GRPC_LISTEN"] = "x";
        }

        Assert.EndsWith(expected, Assert.Throws<WhipOptionException>(() => Parse(args)).Message);
        var embedded = Assert.Throws<WhipOptionException>(() => new TestOptions { GrpcListen = "x" }.Check());
        Assert.Equal(("GrpcListen", "GrpcListen \"x\": not a HOST:PORT; try 127.0.0.1:50051 or :50051"), (embedded.Option, embedded.Message));
    }

    [Fact]
    public void Other_options_in_a_message_have_the_names_of_whoever_reads_it()
    {
        _environment["WHIP_DOMAIN"] = "environment";
        var error = Assert.Throws<WhipOptionException>(() => new TestOptions { Password = "" }.Check());
        Assert.Equal("Password: is empty; it does not go with Domain and GrpcListen", error.Message);
        Assert.Equal("WHIP_PASSWORD: is empty; it does not go with WHIP_DOMAIN and --grpc-listen", error.Named(Parse().NameOf).Message);
    }

    [Fact]
    public void The_summary_has_every_flag_with_its_source_and_no_secret()
    {
        (_environment["WHIP_PASSWORD"], _environment["WHIP_GLOBS"]) = ("hunter2", "*.a,b");
        var config = Config("""{ "count": 4 }""");
        var summary = Parse("--config", config, "a:1", "--tls").Summary;
        Assert.Equal(
            $"endpoints=a:1 (endpoints), domain=testdom (default), count=4 ({config}: count), grpc-listen=:50051 (default), ports= (default), "
            + "targets= (default), globs=*.a,b (WHIP_GLOBS), restrict= (default), restrict-file= (default), "
            + "drain-timeout=90s (default), external-tcp= (default), password=*** (WHIP_PASSWORD), "
            + "whip-tcp-listen-port=8000 (default), tls=true (--tls), tls-key-path= (default), "
            + "tls-cert-path= (default), tls-ca-cert-path= (default), deny= (default), "
            + $"metrics-listen=:8080 (default), log-level=info (default), log-format=text (default), config={config} (--config)",
            summary);
        Assert.Contains("password= (default)", Summary());

        string Summary()
        {
            _environment.Clear();
            return Parse().Summary;
        }
    }

    [Fact]
    public void Help_names_every_flag_with_its_unit_default_and_variable()
    {
        var help = Answer("--nosuch", "-h");
        Assert.All(help.Split('\n'), line => Assert.InRange(line.Length, 0, 140));
        help = string.Join(' ', help.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
        foreach (var flag in _flags.All)
        {
            var name = flag.IsPositional ? $"<{flag.Unit}>" : flag.IsSwitch ? $"--{flag.Name}" : $"--{flag.Name} <{flag.Unit}>";
            var repeats = flag.IsList ? " Repeatable, or with commas." : "";
            var given = flag.DefaultText.Length == 0 ? "no default" : $"default {flag.DefaultText}";
            var key = flag.IsPositional ? ", key endpoints" : "";
            Assert.Contains($"{name} {flag.Help}{repeats} [{flag.Variable}{key}; {given}]", help);
        }

        Assert.Contains("WHIP_DRAIN_TIMEOUT; default 90s]", help);
        Assert.Contains("[<HOST:PORT>...]", help);
    }

    [Fact]
    public void Version_is_answered() => Assert.Matches(@"^whip-x \d+\.\d+\.\d+\n$", Answer("--version"));

    private TestOptions Options(params string[] args) => (TestOptions)Parse(args).Options;

    private FlagValues Parse(params string[] args) => _flags.Parse(args, name => _environment.GetValueOrDefault(name)).Values;

    private string Answer(params string[] args) => _flags.Parse(args, _ => null).Answer!;

    private string Config(string json) => _folder.Write("whip.json", json);
}
