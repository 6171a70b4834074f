using System.Diagnostics;
using Whip.Agent;
using Whip.Cli.Forward;
using Whip.Hosting.Flags;
using Whip.Protocol.Names;
using Whip.Protocol.Options;
using Whip.Protocol.Via;
using Whip.Proxy;

namespace Whip.Tests.Protocol.Via;

/// <summary>Which proxy leads where: the options, and the environment by curl's rules.</summary>
public sealed class WayOutTests
{
    private const string Url = "http://proxy.example:3128";

    /// <summary>NO_PROXY, a host, and whether no proxy leads there.</summary>
    public static TheoryData<string, string, bool> Exceptions => new()
    {
        { "*", "www.example.com", true },
        { "*,other.example", "www.example.com", false },
        { "*.example.com", "www.example.com", false },
        { "example.com", "example.com", true },
        { "example.com", "www.example.com", true },
        { "example.com", "a.b.example.com", true },
        { ".example.com", "www.example.com", true },
        { ".example.com", "example.com", true },
        { "example.com.", "www.example.com", true },
        { "EXAMPLE.com", "www.example.COM", true },
        { "example.com", "nonexample.com", false },
        { "www.example.com", "example.com", false },
        { "example.com", "example.com.evil.test", false },
        { "other.test, example.com", "www.example.com", true },
        { "other.test,,example.com,", "www.example.com", true },
        { "other.test,example", "www.example.com", false },
        { "192.0.2.7", "192.0.2.7", true },
        { "192.0.2.7", "192.0.2.77", false },
        { "192.0.2.0/24", "192.0.2.77", true },
        { "192.0.2.99/24", "192.0.2.77", true },
        { "192.0.2.0/24", "192.0.3.77", false },
        { "192.0.2.64/28", "192.0.2.79", true },
        { "192.0.2.64/28", "192.0.2.80", false },
        { "192.0.2.7/32", "192.0.2.7", true },
        { "192.0.2.7/33", "192.0.2.7", false },
        { "192.0.2.0/0", "192.0.2.7", false },
        { "2.7", "192.0.2.7", false },
        { "2001:db8::/32", "2001:db8:1::5", true },
        { "2001:db8::/32", "2001:db9::5", false },
        { "2001:db8::5", "2001:db8::5", true },
        { "2001:db8::5/129", "2001:db8::5", false },
        { "192.0.2.0/24", "2001:db8::5", false },
        { "", "www.example.com", false },
    };

    [Theory]
    [MemberData(nameof(Exceptions))]
    public void No_proxy_leads_to_a_host_of_NO_PROXY(string list, string host, bool isExcepted)
    {
        var way = OfEnvironment(("https_proxy", Url), ("no_proxy", list));
        Assert.Equal(isExcepted ? null : Url, way.To(HostPort.Of(host, 50051))?.ToString());
    }

    /// <summary>The table above, held against curl itself: it comes to the proxy, or not. What curl documents of IPv6 networks, 7.88 does not do.</summary>
    [SkippableFact]
    public async Task Curl_agrees()
    {
        Tools.Require("curl");
        var asked = new List<string>();
        await using var proxy = new FakeDialFront(false, async connection =>
        {
            asked.Add((await connection.ReadHeadAsync()).Split(' ')[1]);
            await connection.WriteAsync("HTTP/1.1 502 x\r\n\r\n");
            await connection.EndAsync();
            await connection.WaitForEndAsync();
        });
        var port = FreePort.Find(1).Single();
        var rows = Exceptions.Select(row => (List: (string)row[0], Host: (string)row[1], IsExcepted: (bool)row[2]));
        foreach (var (list, host, isExcepted) in rows.Where(row => !row.Host.Contains(':')))
        {
            asked.Clear();
            await CurlAsync($"http://{proxy.Authority}", list, $"https://{host}:{port}/", $"{host}:{port}:127.0.0.1");
            Assert.Equal((list, host, isExcepted), (list, host, asked.Count == 0));
        }
    }

    [Fact]
    public void Lower_case_comes_first_and_an_empty_variable_is_none()
    {
        Assert.Equal("http://a:1", Find(("https_proxy", "http://a:1"), ("HTTPS_PROXY", "http://b:1"), ("all_proxy", "http://c:1")));
        Assert.Equal("http://b:1", Find(("https_proxy", ""), ("HTTPS_PROXY", "http://b:1"), ("ALL_PROXY", "http://c:1")));
        Assert.Equal("http://c:1", Find(("all_proxy", "http://c:1"), ("ALL_PROXY", "http://d:1")));
        Assert.Equal("http://d:1", Find(("ALL_PROXY", "http://d:1"), ("http_proxy", "http://e:1"), ("HTTP_PROXY", "http://e:1")));
        Assert.Null(Find(("http_proxy", "http://e:1")));
        Assert.Null(Find(("HTTPS_PROXY", "http://b:1"), ("no_proxy", ""), ("NO_PROXY", "broker.example")));
        Assert.Equal("http://b:1", Find(("HTTPS_PROXY", "http://b:1"), ("no_proxy", "other"), ("NO_PROXY", "broker.example")));

        static string? Find(params (string, string)[] variables) => OfEnvironment(variables).To(HostPort.Of("broker.example", 1))?.ToString();
    }

    [Fact]
    public void The_option_comes_before_the_environment_and_has_no_exceptions()
    {
        (string, string)[] environment = [("https_proxy", Url), ("no_proxy", "*")];
        var broker = HostPort.Of("broker.example", 1);
        Assert.Equal("http://a:1080", Of(new WhipViaOptions { Proxy = "a" }, environment).To(broker)?.ToString());
        Assert.Null(Of(new WhipViaOptions { Proxy = "off" }, ("https_proxy", Url)).To(broker));
        Assert.Equal(Url, Of(new WhipViaOptions(), ("https_proxy", Url)).To(broker)?.ToString());
    }

    [Theory]
    [InlineData("proxy", "http://proxy:1080")]
    [InlineData("proxy:3128", "http://proxy:3128")]
    [InlineData("HTTP://Proxy.Example:3128/", "http://proxy.example:3128")]
    [InlineData("http://alice@proxy:3128", "http://proxy:3128")]
    [InlineData("http://alice:se@cret@192.0.2.1:3128", "http://192.0.2.1:3128")]
    [InlineData("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128")]
    [InlineData("http://[2001:db8::1]", "http://[2001:db8::1]:1080")]
    public void Urls_are_read_as_curl_reads_them(string url, string expected)
    {
        Assert.True(HttpProxy.TryParse(url, out var proxy, out _));
        Assert.Equal(expected, $"{proxy}");
    }

    [Theory]
    [InlineData("https://alice:secret@proxy:3128")]
    [InlineData("socks5h://alice:secret@proxy:1080")]
    [InlineData("http://alice:secret@proxy:0")]
    [InlineData("http://alice:secret@proxy:31280000")]
    [InlineData("http://alice:secret@proxy:3128/path")]
    [InlineData("http://alice:secret@")]
    [InlineData("http://al%3Aice:secret@proxy:3128")]
    public void A_variable_that_cannot_be_used_is_named_and_not_quoted(string url)
    {
        var error = Assert.Throws<WhipOptionException>(() => OfEnvironment(("HTTPS_PROXY", url)));
        Assert.Equal("HTTPS_PROXY", error.Option);
        Assert.DoesNotContain("secret", error.Message);
        Assert.Contains("off in Via.Proxy for none", error.Message);
    }

    [Fact]
    public void Every_program_names_its_flag_and_shows_no_password()
    {
        (ProgramFlags Flags, string[] Needs)[] programs =
        [
            (new AgentFlags(), ["--domain", "testdom", "--ports", "1", "127.0.0.1:1"]), (new ProxyFlags(), ["--broker", "127.0.0.1:1"]),
            (new ForwardFlags(), ["--broker", "127.0.0.1:1", ":0=a.testdom:1"]), (new SocksFlags(), ["--broker", "127.0.0.1:1", ":0"]),
        ];
        foreach (var (flags, needs) in programs)
        {
            var error = Assert.Throws<WhipOptionException>(() => flags.Parse(["--via", "socks5://alice:secret@proxy", .. needs], _ => null));
            Assert.StartsWith("--via: is not the URL of an HTTP proxy", error.Message);
            error = Assert.Throws<WhipOptionException>(() => flags.Parse(needs, name => name == "WHIP_VIA" ? "socks5://alice:secret@proxy" : null));
            Assert.StartsWith("WHIP_VIA: is not the URL of an HTTP proxy", error.Message);
            var (values, _) = flags.Parse(["--via", "http://alice:secret@proxy:3128", .. needs], _ => null);
            Assert.Contains("via=*** (--via)", values.Summary);
            Assert.Equal("http://proxy:3128", WayOut.Of(values.Options.Via!).To(HostPort.Of("broker.example", 1))?.ToString());
        }
    }

    [Fact]
    public void The_password_may_be_in_a_file()
    {
        using var folder = new TempFolder();
        var file = folder.Write("password", "se:cret\n");
        var way = Of(new WhipViaOptions { Proxy = "http://alice@proxy:3128", PasswordPath = file });
        Assert.Contains("Basic YWxpY2U6c2U6Y3JldA==\r\n", System.Text.Encoding.ASCII.GetString(way.Proxy!.ConnectHead(HostPort.Of("b", 1))));
        foreach (var proxy in new[] { null, "off", "http://proxy:3128", "http://alice:other@proxy:3128" })
        {
            var error = Assert.Throws<WhipOptionException>(() => Of(new WhipViaOptions { Proxy = proxy, PasswordPath = file }, ("https_proxy", Url)));
            Assert.Equal("Via.PasswordPath", error.Option);
        }
    }

    private static WayOut OfEnvironment(params (string Name, string Value)[] variables) => Of(new WhipViaOptions(), variables);

    private static WayOut Of(WhipViaOptions options, params (string Name, string Value)[] variables) =>
        WayOut.Of(options, name => variables.FirstOrDefault(variable => variable.Name == name).Value);

    private static async Task CurlAsync(string proxy, string exceptions, string url, string resolve)
    {
        var start = new ProcessStartInfo(ProgramFiles.Find("curl")!, ["-s", "-m", "20", "--resolve", resolve, url]) { RedirectStandardOutput = true };
        foreach (var name in WayOut.Variables)
        {
            start.Environment.Remove(name);
        }

        start.Environment["https_proxy"] = proxy;
        start.Environment["no_proxy"] = exceptions;
        using var curl = Process.Start(start)!;
        await curl.WaitForExitAsync().WaitAsync(Patience.Long);
    }
}
