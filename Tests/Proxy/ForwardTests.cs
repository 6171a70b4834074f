namespace Whip.Tests.Proxy;

public sealed class ForwardTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    [Theory, PlainAndTls]
    public async Task Two_requests_share_one_dial(bool tls)
    {
        await using var service = Service.Answering(Ok);
        await using var run = await ProxyRun.StartAsync(service, tls);
        using var client = run.CreateClient();

        Assert.Equal("ok", await client.GetStringAsync("http://instance1.testdom:5051/a"));
        Assert.Equal("ok", await client.GetStringAsync("http://INSTANCE1.testdom:5051/b"));

        Assert.Single(run.Dialer.Dials);
        Assert.Equal(1, service.Connections);
    }

    [Fact]
    public async Task The_path_the_upstream_reads_is_the_one_the_client_wrote()
    {
        await using var service = Service.Answering(Ok);
        await using var run = await ProxyRun.StartAsync(service);
        var client = await run.ConnectAsync();

        foreach (var path in new[] { "/a%2Fb/../c//d?x=%20&y=[1]", "/%zz", "?only=query", "" })
        {
            await client.AskAsync($"GET http://instance1.testdom:5051{path} HTTP/1.1\r\nHost: instance1.testdom:5051\r\n\r\n");
        }

        await client.AskAsync("OPTIONS http://instance1.testdom:5051 HTTP/1.1\r\nHost: instance1.testdom:5051\r\n\r\n");

        Assert.Equal(
            ["GET /a%2Fb/../c//d?x=%20&y=[1] HTTP/1.1", "GET /%zz HTTP/1.1", "GET /?only=query HTTP/1.1", "GET / HTTP/1.1", "OPTIONS * HTTP/1.1"],
            service.Heads.Select(head => head.Split("\r\n")[0]));
    }

    [Fact]
    public async Task The_host_that_is_dialled_is_the_host_that_is_named_upstream()
    {
        await using var service = Service.Answering(Ok);
        await using var run = await ProxyRun.StartAsync(service);
        await run.AskAsync("GET http://instance1.testdom:80/ HTTP/1.1\r\nHost: other.testdom\r\n\r\n");

        Assert.Equal(["instance1.testdom:80"], run.Dialer.Dials);
        Assert.Contains("\r\nHost: instance1.testdom\r\n", Assert.Single(service.Heads), StringComparison.Ordinal);
        Assert.DoesNotContain("other.testdom", service.Heads.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fields_of_one_connection_end_there_in_both_directions()
    {
        await using var service = Service.Answering(
            "HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nConnection: X-Secret, keep-alive\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\n"
            + "Proxy-Authenticate: Basic\r\nTrailer: X\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nTraceparent: kept\r\nX-Latin: \xe9\r\n\r\nok");
        await using var run = await ProxyRun.StartAsync(service);
        var answer = await run.AskAsync(
            "GET http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\nConnection: keep-alive, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\n"
            + "Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eDp5\r\nTE: trailers\r\nUpgrade: h2c\r\nUpgrade-Insecure-Requests: 1\r\n"
            + "Traceparent: 00-1\r\nCookie: a=1\r\nX-Latin: \xe9\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2\r\nVia: 1.0 first\r\n\r\n");

        var sent = service.Heads.Single().Split("\r\n");
        string[] dropped = ["Connection", "X-Mine", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE", "Upgrade"];
        Assert.DoesNotContain(sent, line => dropped.Any(name => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)));
        Assert.Contains("Upgrade-Insecure-Requests: 1", sent);
        Assert.Contains("Traceparent: 00-1", sent, StringComparer.OrdinalIgnoreCase);
        Assert.Contains("Cookie: a=1", sent);
        Assert.Contains("X-Latin: \xe9", sent);
        Assert.Contains("X-Forwarded-For: 10.0.0.1, 10.0.0.2, 127.0.0.1", sent);
        Assert.Contains("Via: 1.0 first, 1.1 whip-proxy", sent);
        var received = answer.Split("\r\n");
        Assert.Equal("HTTP/1.1 200 Fine", received[0]);
        Assert.Contains("Set-Cookie: a=1", received);
        Assert.Contains("Set-Cookie: b=2", received);
        Assert.Contains("Traceparent: kept", received, StringComparer.OrdinalIgnoreCase);
        Assert.Contains("X-Latin: \xe9", received);
        Assert.Contains("Via: 1.1 whip-proxy", received);
        string[] droppedBack = ["Connection", "X-Secret", "Keep-Alive", "Proxy-Authenticate", "Trailer", "Server"];
        Assert.DoesNotContain(received, line => droppedBack.Any(name => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)));
    }

    [Theory]
    [InlineData("abc.DEF-1_2", true)]
    [InlineData("has space", false)]
    [InlineData("a,b", false)]
    [InlineData("", false)]
    public async Task A_request_id_is_taken_if_it_is_safe_and_goes_both_ways(string given, bool taken)
    {
        await using var service = Service.Answering(Ok);
        await using var run = await ProxyRun.StartAsync(service, configure: options => options.DownstreamRequestIdHeader = "X-Request-Id");
        using var client = run.CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://instance1.testdom/");
        request.Headers.TryAddWithoutValidation("X-Request-Id", given);
        request.Headers.TryAddWithoutValidation("whip-request-id", "forged");

        var response = await client.SendAsync(request);

        var id = Assert.Single(response.Headers.GetValues("whip-request-id"));
        Assert.Equal(taken, id == given);
        Assert.Matches("^[A-Za-z0-9._-]{1,128}$", id);
        Assert.Contains($"\r\nwhip-request-id: {id}\r\n", service.Heads.Single(), StringComparison.Ordinal);
        Assert.DoesNotContain("forged", service.Heads.Single(), StringComparison.Ordinal);
        Assert.Contains(run.Logs.Records, record => record.ToString().Contains($"request {id} from", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 204, "")]
    [InlineData("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", 304, "")]
    [InlineData("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", 200, "")]
    [InlineData("GET", "HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\n\r\n2;x=\"y\"\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n", 200, "ok")]
    [InlineData("GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, "ok")]
    public async Task Answers_of_every_framing_pass_and_the_connection_is_used_again(string method, string answer, int status, string body)
    {
        await using var service = Service.Answering(answer);
        await using var run = await ProxyRun.StartAsync(service);
        using var client = run.CreateClient();

        for (var i = 0; i < 2; i++)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), "http://instance1.testdom/");
            using var response = await client.SendAsync(request);
            Assert.Equal(status, (int)response.StatusCode);
            Assert.Equal(body, await response.Content.ReadAsStringAsync());
            if (method == "HEAD")
            {
                Assert.Equal(99, response.Content.Headers.ContentLength);
            }
        }

        Assert.Single(run.Dialer.Dials);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more than was said")]
    public async Task An_upstream_connection_that_cannot_be_trusted_again_is_not_used_again(string answer)
    {
        await using var service = Service.Answering(answer);
        await using var run = await ProxyRun.StartAsync(service);
        using var client = run.CreateClient();

        Assert.Equal("ok", await client.GetStringAsync("http://instance1.testdom/"));
        Assert.Equal("ok", await client.GetStringAsync("http://instance1.testdom/"));

        Assert.Equal(2, run.Dialer.Dials.Count);
    }

    [Fact]
    public async Task An_answer_without_a_length_ends_with_its_connection()
    {
        await using var service = Service.Start(async leg =>
        {
            await Wire.ReadHeadAsync(leg);
            await leg.SendAsync("HTTP/1.0 200 OK\r\n\r\nall of it");
        });
        await using var run = await ProxyRun.StartAsync(service);
        using var client = run.CreateClient();

        Assert.Equal("all of it", await client.GetStringAsync("http://instance1.testdom/"));
    }

    [Fact]
    public async Task A_client_that_knows_its_connection_was_used_before_sends_a_request_without_an_answer_again()
    {
        var requests = 0;
        await using var service = Service.Start(async leg =>
        {
            await Wire.ReadHeadAsync(leg);
            await leg.SendAsync(Ok);
            if (Interlocked.Increment(ref requests) == 1)
            {
                // Reads the second request, and ends instead of answering it.
                await Wire.ReadHeadAsync(leg);
            }
        });
        await using var run = await ProxyRun.StartAsync(service);
        using var client = run.CreateClient();

        Assert.Equal("ok", await client.GetStringAsync("http://instance1.testdom/"));
        Assert.Equal("ok", await client.GetStringAsync("http://instance1.testdom/"));

        Assert.Equal(2, run.Dialer.Dials.Count);
    }

    [Fact]
    public async Task A_body_with_a_length_and_one_without_arrive_whole()
    {
        await using var service = Service.Start(async leg =>
        {
            while (await Wire.ReadHeadAsync(leg) is { Length: > 0 } head)
            {
                var body = head.Contains("Content-Length: 5\r\n", StringComparison.Ordinal) ? await Wire.ReadAsync(leg, 5) : await Wire.ReadAsync(leg, 15);
                await leg.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}");
            }
        });
        await using var run = await ProxyRun.StartAsync(service);
        using var client = run.CreateClient();
        using var chunked = new HttpRequestMessage(HttpMethod.Post, "http://instance1.testdom/") { Content = new StringContent("hello") };
        chunked.Headers.TransferEncodingChunked = true;

        var sized = await client.PostAsync("http://instance1.testdom/", new StringContent("hello"));
        var framed = await client.SendAsync(chunked);

        Assert.Equal("hello", await sized.Content.ReadAsStringAsync());
        Assert.Equal("5\r\nhello\r\n0\r\n\r\n", await framed.Content.ReadAsStringAsync());
        Assert.Single(run.Dialer.Dials);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n", "whole URL")]
    [InlineData("GET https://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n", "CONNECT")]
    [InlineData("GET http://user:pw@instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n", "user name")]
    [InlineData("GET http://instance1.testdom:0/ HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n", "cannot be read")]
    [InlineData("GET http://instance1.testdom/#f HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n", "fragment")]
    [InlineData("GET ftp://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n", "only http")]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n", "only http")]
    public async Task A_request_that_names_no_http_url_is_refused_in_one_line(string request, string line)
    {
        await using var run = await ProxyRun.StartAsync();
        var answer = await run.AskAsync(request);

        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains(line, answer.Split("\r\n\r\n")[1], StringComparison.Ordinal);
        Assert.Empty(run.Dialer.Dials);
    }

    [Theory]
    [InlineData("http://instance1.testdom:5051", "/a?b=c", "/a?b=c")]
    [InlineData("http://instance1.testdom:5051/base/?k=v", "/a?b=c", "/base/a?k=v&b=c")]
    [InlineData("http://instance1.testdom:5051/base?k=v", "/a", "/base/a?k=v")]
    [InlineData("http://instance1.testdom:5051", "http://other.testdom/x", "/x")]
    public async Task With_a_target_every_request_goes_there(string target, string requested, string path)
    {
        await using var service = Service.Answering(Ok);
        await using var run = await ProxyRun.StartAsync(service, configure: options =>
        {
            options.Target = new Uri(target);
            options.ProxyHosts.Add("other.testdom");
        });
        await run.AskAsync($"GET {requested} HTTP/1.1\r\nHost: other.testdom\r\n\r\n");

        var head = Assert.Single(service.Heads);
        Assert.StartsWith($"GET {path} HTTP/1.1\r\nHost: other.testdom\r\n", head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_a_target_a_CONNECT_is_refused()
    {
        await using var run = await ProxyRun.StartAsync(configure: options => options.Target = new Uri("http://instance1.testdom"));
        Assert.StartsWith("HTTP/1.1 403 ", await run.AllForAsync("CONNECT instance1.testdom:80 HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_are_counted_under_both_names()
    {
        await using var service = Service.Answering(Ok);
        await using var run = await ProxyRun.StartAsync(service);
        using var client = run.CreateClient();
        await client.GetStringAsync("http://instance1.testdom/");
        using var lost = await client.GetAsync("http://nobody.testdom/");

        var scrape = await run.ScrapeAsync();

        foreach (var name in new[] { "whip_proxy_requests_total", "whip_http_proxy_requests_total" })
        {
            Assert.Contains($"{name}{{upstream_http=\"HTTP/1.1\",status=\"200\",error=\"\"}} 1\n", scrape, StringComparison.Ordinal);
            Assert.Contains($"{name}{{upstream_http=\"HTTP/1.1\",status=\"\",error=\"true\"}} 1\n", scrape, StringComparison.Ordinal);
        }
    }
}
