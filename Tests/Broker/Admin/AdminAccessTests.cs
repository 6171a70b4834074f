using System.Net;
using System.Text;
using Whip.Broker;
using Whip.Protocol.Legs;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Tests.Broker.Admin;

/// <summary>Whom the admin listener answers, and where it may listen.</summary>
public sealed class AdminAccessTests
{
    private const string BeyondLoopback = "beyond the loopback interface it needs AdminTokenPath; try AdminTokenPath FILE, or 127.0.0.1:8081";

    [Theory]
    [InlineData("127.0.0.1:PORT", true)]
    [InlineData("localhost:PORT", true)]
    [InlineData("LocalHost:PORT", true)]
    [InlineData("[::1]:PORT", true)]
    [InlineData("broker1.example", true)]
    [InlineData("Broker1.example:PORT", true)]
    [InlineData("broker2.example:8443", true)]
    [InlineData("broker2.example:PORT", false)]
    [InlineData("broker2.example", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("127.0.0.1:1", false)]
    [InlineData("localhost", false)]
    [InlineData("xn--bcher-kva.example", true)]
    [InlineData("0.0.0.0:PORT", false)]
    [InlineData("192.0.2.1:PORT", false)]
    [InlineData("rebound.evil.example:PORT", false)]
    [InlineData("127.0.0.1.evil.example:PORT", false)]
    [InlineData("broker1.example.evil.example", false)]
    public async Task The_host_header_must_name_the_listener(string host, bool isKnown)
    {
        await using var broker = await AdminRequests.StartAsync(configure: options =>
        {
            options.AdminHosts.Add("broker1.example");
            options.AdminHosts.Add("broker2.example:8443");
            options.AdminHosts.Add("b\u00fccher.example");
        });
        var named = host.Replace("PORT", $"{broker.Broker.AdminEndPoint!.Port}", StringComparison.Ordinal);

        var (status, text) = await broker.AskAsync("/api/status", null, ("Host", named));
        Assert.Equal(isKnown ? HttpStatusCode.OK : HttpStatusCode.MisdirectedRequest, status);
        if (!isKnown)
        {
            Assert.Equal($"the admin listener is not known as \"{named}\"; try the address it is bound to, or --admin-host at the broker\n", text);
        }
    }

    [Theory]
    [InlineData("GET /api/status HTTP/1.0\r\n\r\n", "HTTP/1.1 421 ")]
    [InlineData("GET /api/status HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ")]
    [InlineData("GET /api/status HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nHost: evil.example\r\n\r\n", "HTTP/1.1 400 ")]
    [InlineData("GET http://evil.example/api/status HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "HTTP/1.1 400 ")]
    [InlineData("GET /api/status HTTP/1.1\r\nHost: \u001b[31m\r\n\r\n", "HTTP/1.1 400 ")]
    [InlineData("GET /api/status HTTP/1.1\r\nHost: xn--\r\n\r\n", "HTTP/1.1 421 ")]
    [InlineData("GET /api/status HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nX-Forwarded-Host: evil.example\r\n\r\n", "HTTP/1.1 200 ")]
    [InlineData("nonsense\r\n\r\n", "HTTP/1.1 400 ")]
    public async Task Other_ways_to_name_a_host_do_not_help(string head, string answer)
    {
        await using var broker = await AdminRequests.StartAsync();
        await using var leg = await Leg.ConnectAsync(broker.Broker.AdminEndPoint!, default).WaitAsync(Patience.Long);
        await leg.WriteAsync(Encoding.ASCII.GetBytes(head.Replace("PORT", $"{broker.Broker.AdminEndPoint!.Port}", StringComparison.Ordinal)));
        Assert.StartsWith(answer, await TestBroker.ReadHeadAsync(leg).WaitAsync(Patience.Long));
    }

    [Theory]
    [InlineData("http://127.0.0.1:PORT", true)]
    [InlineData("http://localhost:PORT", true)]
    [InlineData("http://127.0.0.1:1", false)]
    [InlineData("http://127.0.0.1:0", false)]
    [InlineData("http://evil.example", false)]
    [InlineData("https://evil.example:PORT", false)]
    [InlineData("null", false)]
    public async Task A_page_of_another_origin_is_refused(string origin, bool isOurs)
    {
        await using var broker = await AdminRequests.StartAsync();
        var (status, _) = await broker.AskAsync("/api/status", null,
            ("Origin", origin.Replace("PORT", $"{broker.Broker.AdminEndPoint!.Port}", StringComparison.Ordinal)));
        Assert.Equal(isOurs ? HttpStatusCode.OK : HttpStatusCode.Forbidden, status);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("Bearer " + AdminRequests.Token, true)]
    [InlineData("bearer " + AdminRequests.Token, true)]
    [InlineData("Bearer " + AdminRequests.Token + "0", false)]
    [InlineData("Bearer 0123456789abcde", false)]
    [InlineData("Bearer ", false)]
    [InlineData(AdminRequests.Token, false)]
    [InlineData("Basic " + AdminRequests.Token, false)]
    [InlineData("Basic :" + AdminRequests.Token, true)]
    [InlineData("basic anyone:" + AdminRequests.Token, true)]
    [InlineData("Basic anyone:x:" + AdminRequests.Token, false)]
    [InlineData("Basic " + AdminRequests.Token + ":", false)]
    [InlineData("Basic anyone", false)]
    [InlineData("Basic ", false)]
    public async Task With_a_token_file_every_request_carries_the_token(string? authorization, bool isAccepted)
    {
        using var folder = new TempFolder();
        await using var broker = await AdminRequests
            .StartAsync(configure: options => options.AdminTokenPath = folder.Write("token", AdminRequests.Token + "\n"));
        foreach (var path in new[] { "/api/status", "/api/clients", "/api/explain?name=a.b&port=1", "/", "/nowhere" })
        {
            var (status, text) = await broker.AskAsync(path, null, authorization is null ? [] : [("Authorization", Encoded(authorization))]);
            Assert.Equal(!isAccepted, status == HttpStatusCode.Unauthorized);
            Assert.DoesNotContain(AdminRequests.Token, text);
        }
    }

    [Fact]
    public async Task Wrong_tokens_are_counted_and_one_of_many_is_logged()
    {
        using var folder = new TempFolder();
        await using var broker = await AdminRequests.StartAsync(configure: options => options.AdminTokenPath = folder.Write("token", AdminRequests.Token));
        for (var i = 0; i < 20; i++)
        {
            await broker.AskAsync("/api/status", null, ("Authorization", "Bearer wrong"));
        }

        Assert.Contains("whip_broker_admin_refused_total{status=\"401\"} 20\n", await broker.ScrapeAsync());
        Assert.Single(
            broker.Logs.Records, record => record.Message == "an admin request from 127.0.0.1 was refused with 401 (401: a wrong admin token or none)");
    }

    [Fact]
    public async Task A_browser_is_asked_for_the_token_as_a_password()
    {
        using var folder = new TempFolder();
        await using var broker = await AdminRequests.StartAsync(configure: options => options.AdminTokenPath = folder.Write("token", AdminRequests.Token));
        using var http = new HttpClient { Timeout = Patience.Long };
        using var answer = await http.GetAsync(new Uri($"http://{broker.Broker.AdminEndPoint}/dashboard"));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal(["Bearer", "Basic"], answer.Headers.WwwAuthenticate.Select(challenge => challenge.Scheme));
    }

    [Fact]
    public async Task With_a_token_it_may_listen_on_every_interface_and_answers_to_the_address_that_was_reached()
    {
        using var folder = new TempFolder();
        await using var broker = await AdminRequests.StartAsync(configure: options =>
        {
            options.AdminListen = "0.0.0.0:0";
            options.AdminTokenPath = folder.Write("token", AdminRequests.Token);
        });
        Assert.Equal(HttpStatusCode.OK, (await broker.AskAsync("/api/status", null, ("Authorization", $"Bearer {AdminRequests.Token}"))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await broker.AskAsync("/api/status")).Status);
        var port = broker.Broker.AdminEndPoint!.Port;
        Assert.Equal(HttpStatusCode.MisdirectedRequest, (await broker.AskAsync("/api/status", null, ("Host", $"0.0.0.0:{port}"))).Status);
    }

    [Theory]
    [InlineData("0.0.0.0:0", null, null, $"AdminListen \"0.0.0.0:0\": {BeyondLoopback}")]
    [InlineData("[::]:0", null, null, $"AdminListen \"[::]:0\": {BeyondLoopback}")]
    [InlineData("127.0.0.1:0", "", null, "holds no token of one line without blanks; try openssl rand -hex 32 > FILE")]
    [InlineData("127.0.0.1:0", " \n", null, "holds no token of one line without blanks; try openssl rand -hex 32 > FILE")]
    [InlineData("127.0.0.1:0", "one\ntwo\n", null, "holds no token of one line without blanks; try openssl rand -hex 32 > FILE")]
    [InlineData("", "", null, "holds no token of one line without blanks; try openssl rand -hex 32 > FILE")]
    [InlineData("127.0.0.1:0", null, "a b", "AdminHosts \"a b\": not a host; try broker1.example.com or broker1.example.com:8081")]
    [InlineData("127.0.0.1:0", null, "http://a", "AdminHosts \"http://a\": not a host; try broker1.example.com or broker1.example.com:8081")]
    [InlineData("127.0.0.1:0", null, "a:port", "AdminHosts \"a:port\": not a host; try broker1.example.com or broker1.example.com:8081")]
    public void What_would_leave_it_open_or_useless_is_told_before_it_starts(string listen, string? token, string? host, string problem)
    {
        using var folder = new TempFolder();
        using var logs = new CapturedLogs();
        var options = new WhipBrokerOptions
        {
            GrpcListen = "127.0.0.1:0",
            TcpListen = "127.0.0.1:0",
            DialListen = "",
            AdminListen = listen,
            AdminTokenPath = token is null ? null : folder.Write("token", token),
            Tls = new WhipTlsOptions { Enabled = false },
        };
        if (host is not null)
        {
            options.AdminHosts.Add(host);
        }

        var error = Assert.Throws<WhipOptionException>(() => new WhipBroker(options, logs));
        Assert.EndsWith(problem, error.Message);
    }

    /// <summary>As a browser writes it; what has no colon is no base64 of a browser's and stays.</summary>
    private static string Encoded(string authorization) =>
        authorization.Split(' ', 2) is [var scheme, var credentials] && credentials.Contains(':', StringComparison.Ordinal)
            ? $"{scheme} {Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials))}"
            : authorization;
}
