using System.Text.RegularExpressions;
using Whip.Cli;
using Whip.Protocol.Names;
using Whip.Tests.Cli.Pki;

namespace Whip.Tests.Cli;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("Required command was not provided; see whip --help")]
    [InlineData("Required command was not provided; see whip pki --help", "pki")]
    [InlineData("Required command was not provided; see whip pki createandsign --help", "pki", "createandsign")]
    [InlineData("unknown argument \"nonsense\"; see whip --help", "nonsense")]
    [InlineData("unknown argument \"--nonsense\"; see whip pki genselfsignedca --help", "pki", "genselfsignedca", "--nonsense")]
    [InlineData("unknown argument \"stray\"; see whip connect --help", "connect", "a.b:1", "stray")]
    [InlineData("--nonsense: whip connect has no such flag; try --help", "connect", "--nonsense")]
    [InlineData("--domain: required; try testdom", "pki", "createandsign", "client")]
    [InlineData("--hostname: required; try one label such as instance1, or * for any", "pki", "createandsign", "client", "--domain", "testdom")]
    [InlineData("--domain: has no value; try --domain NAME", "pki", "createandsign", "client", "--hostname", "*", "--domain")]
    [InlineData("--tls \"maybe\": neither true nor false; try true or false", "connect", "a.b:1", "--tls=maybe")]
    [InlineData("--limit \"0\": not a number in range; try a number from 1 to 100000", "clients", "--limit", "0")]
    [InlineData("--config \"/nowhere\": no such file; try the path of a file that exists", "status", "--config", "/nowhere")]
    public async Task A_command_line_that_is_no_use(string error, params string[] args)
    {
        var run = await WhipRun.RunAsync(args);
        Assert.Equal((2, $"whip: {error}\n", ""), (run.ExitCode, run.Error, run.Output));
    }

    [Theory]
    [InlineData("pki genselfsignedca")]
    [InlineData("pki createandsign server")]
    [InlineData("status")]
    public async Task Help_has_each_flag_once(string command)
    {
        var run = await WhipRun.RunAsync([.. command.Split(' '), "--help"]);
        var flags = Regex.Matches(run.Output, "^  (--[a-z-]+)", RegexOptions.Multiline).Select(match => match.Value).ToList();
        Assert.True(flags.Count > 3, run.Output);
        Assert.Distinct(flags);
    }

    [Theory]
    [InlineData("--validity-duration", "5", "not a duration; try 8760h or 1h30m")]
    [InlineData("--validity-duration", "0s", "must be longer than 0; try 8760h or 1h30m")]
    [InlineData("--key-type", "dsa", "not one of the choices; try ecdsa, rsa")]
    [InlineData("--country", "USA", "not a country's two letters; try US")]
    [InlineData("--ip-address", "10", "not an IP address; try 127.0.0.1 or ::1")]
    [InlineData("--ip-address", "localhost", "not an IP address; try 127.0.0.1 or ::1")]
    [InlineData("--dns-names", "127.0.0.1", "not a DNS name; try --ip-address 127.0.0.1")]
    [InlineData("--dns-names", "a..b", "not a DNS name; try a name such as example.com")]
    [InlineData("--broker-id", "a/b", $"not an id; try {BrokerUri.BrokerIdHint}")]
    [InlineData("--cluster-id", "Prod", $"not an id; try {BrokerUri.ClusterIdHint}", "--broker-id", "b1")]
    [InlineData("--cluster-id", "demo", "says nothing without --broker-id; try --broker-id NAME with it")]
    public async Task A_value_that_is_no_use(string flag, string value, string problem, params string[] others)
    {
        using var folder = new PkiFolder();
        await folder.GenerateCaAsync();
        var run = await folder.TrySignAsync("a", ["server", "--dns-names", "localhost", flag, value, .. others]);
        Assert.Equal((2, $"whip: {flag} \"{value}\": {problem}\n", ""), (run.ExitCode, run.Error, run.Output));
    }

    [Theory]
    [InlineData("a.b")]
    [InlineData("a*")]
    public async Task A_hostname_is_one_label_or_a_star(string hostname)
    {
        using var folder = new PkiFolder();
        await folder.GenerateCaAsync();
        var run = await folder.TrySignAsync("a", "client", "--domain", "testdom", "--hostname", hostname);
        Assert.Equal((2, $"whip: --hostname \"{hostname}\": not a hostname; try one label such as instance1, or * for any\n"), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task A_CA_that_is_none()
    {
        using var folder = new PkiFolder();
        var missing = await folder.TrySignAsync("a", "client", "--hostname", "*", "--domain", "testdom");
        Assert.Equal($"whip: --ca-cert-path \"{folder.CaCert}\": does not exist; try whip pki, which makes such files\n", missing.Error);

        await folder.GenerateCaAsync();
        using var leaf = await folder.SignAsync("a", "client", "--hostname", "*", "--domain", "testdom");
        var run = await WhipRun.RunAsync(
            "pki", "createandsign", "client", "--hostname", "*", "--domain", "testdom",
            "--ca-cert-path", folder.PathOf("a-cert.pem"), "--ca-key-path", folder.PathOf("a-key.pem"));
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("is not the certificate of a CA; try whip pki genselfsignedca", run.Error);
    }

    [Fact]
    public async Task A_flag_is_taken_from_the_command_line_then_its_variable_then_the_file()
    {
        using var folder = new TempFolder();
        var config = folder.Write("whip.json", """{ "admin": ["file"], "limit": 0 }""");
        Assert.Equal(
            ($"{config}: admin", "--admin", "WHIP_ADMIN"),
            (await RefusedAsync(), await RefusedAsync(["--admin", "line"]), await RefusedAsync([], "variable")));

        async Task<string> RefusedAsync(string[]? args = null, string? variable = null)
        {
            using var error = new StringWriter();
            string[] line = ["clients", "--config", config, "--limit=1", .. args ?? []];
            Assert.Equal(2, await WhipCommand.RunAsync(line, TextWriter.Null, error, name => name == "WHIP_ADMIN" ? variable : null));
            return error.ToString().Split(" \"")[0]["whip: ".Length..];
        }
    }

    [Fact]
    public async Task Flags_of_a_group_may_stand_before_the_name_of_its_command()
    {
        using var folder = new PkiFolder();
        await folder.GenerateCaAsync();
        var run = await WhipRun.RunAsync(
            "pki", "--ca-cert-path", folder.CaCert, "--ca-key-path", folder.CaKey, "createandsign", "--cert-path", folder.PathOf("c"), "client",
            "--hostname", "a", "--domain", "testdom", "--key-path", folder.PathOf("k"));
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task The_version_is_a_line()
    {
        var run = await WhipRun.RunAsync("--version");
        Assert.Matches(@"^whip [0-9]+\.[0-9]+\.[0-9]+\n$", run.Output);
    }
}
