using Whip.Protocol.Options;
using Whip.Proxy;

namespace Whip.Tests.Proxy;

public sealed class ProxyFlagsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Theory]
    [InlineData("--target", "instance1.testdom:80", "not an http or https URL")]
    [InlineData("--target", "ftp://instance1.testdom", "not an http or https URL")]
    [InlineData("--target", "http://user@instance1.testdom", "not an http or https URL")]
    [InlineData("--proxy-host", "a.example", "has a meaning with --target only")]
    [InlineData("--proxy-host", "http://a.example", "neither HOST nor HOST:PORT")]
    [InlineData("--target-ca-cert-path", "/does/not/exist", "has a meaning with an https --target only")]
    [InlineData("--answer-timeout", "0s", "longer than 0")]
    [InlineData("--fallback-allow", "10.0.0.0/33", "not a CIDR")]
    [InlineData("--downstream-request-id-header", "X Request", "not a header's name")]
    [InlineData("--proxy-auth-username", "a:b", "with a colon")]
    [InlineData("--proxy-listen-port", "65536", "not a number in range")]
    [InlineData("--proxy-auth-password-path", "/does/not/exist", "no such file")]
    public void A_value_of_no_use_is_refused_by_its_flags_name(string flag, string value, string problem)
    {
        var error = Assert.Throws<WhipOptionException>(() => Read(flag, value));

        Assert.StartsWith($"{flag} \"{value}\": ", error.Message, StringComparison.Ordinal);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false, "--broker", "localhost:8010")]
    [InlineData(false, "--whip-external-tcp-address", "localhost")]
    [InlineData(true, "--broker", "localhost:8010", "--whip-external-tcp-address", "localhost")]
    public void The_broker_is_elsewhere_or_here(bool refused, params string[] args)
    {
        Assert.Equal(refused, Record.Exception(() => new ProxyFlags().Parse(args, _ => null)) is WhipOptionException);
    }

    [Theory]
    [InlineData("--via", "http://alice:secret@proxy:3128")]
    [InlineData("--via-password-path", "password")]
    public void Who_is_the_broker_reaches_none_through_a_proxy(string flag, string value)
    {
        string[] args = ["--whip-external-tcp-address", "localhost", flag, value];
        var error = Assert.Throws<WhipOptionException>(() => new ProxyFlags().Parse(args, _ => null));
        Assert.Contains($"{flag}", error.Message, StringComparison.Ordinal);
        Assert.Contains("has a meaning with --broker only", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TLS_toward_clients_needs_both_files_and_the_files_need_TLS()
    {
        var file = _folder.Write("some.pem", "");

        Assert.Contains("is needed with --proxy-tls", Assert.Throws<WhipOptionException>(() => Read("--proxy-tls")).Message, StringComparison.Ordinal);
        Assert.Contains(
            "has a meaning with --proxy-tls only",
            Assert.Throws<WhipOptionException>(() => Read("--proxy-tls-key-path", file)).Message, StringComparison.Ordinal);
        Assert.Equal(file, Read("--proxy-tls", "--proxy-tls-key-path", file, "--proxy-tls-cert-path", file).ServerKeyPath);
    }

    [Fact]
    public void The_password_comes_from_the_variable_else_from_the_file_without_its_line_end()
    {
        var file = _folder.Write("password", "from file\r\n");
        var empty = _folder.Write("empty", "\n");

        Assert.Null(Read().Password);
        Assert.Equal("from file", Read("--proxy-auth-password-path", file).Password);
        Assert.Equal("from variable", Read(name => name == "WHIP_PROXY_PASSWORD" ? "from variable" : null, "--proxy-auth-password-path", file).Password);
        Assert.Equal("with newline", Read(_ => "with newline\n").Password);
        Assert.Equal("mine", Read(name => name == "MY_PASSWORD" ? "mine" : null, "--proxy-auth-password-env", "MY_PASSWORD").Password);

        // A variable or a file that turned out empty must not open the proxy.
        Assert.Throws<WhipOptionException>(() => Read(_ => "\n"));
        Assert.Throws<WhipOptionException>(() => Read("--proxy-auth-password-path", empty));
    }

    public void Dispose() => _folder.Dispose();

    private static WhipProxyOptions Read(params string[] args) => Read(_ => null, args);

    private static WhipProxyOptions Read(Func<string, string?> variable, params string[] args)
    {
        // Brokers elsewhere, unless the test is about that.
        var options = (ProxyProgramOptions)new ProxyFlags().Parse(["--tls=false", "--broker", "localhost:8010", .. args], _ => null).Values.Options;
        options.ReadPassword(variable);
        return options.Proxy;
    }
}
