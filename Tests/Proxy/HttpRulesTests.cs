using System.Text.RegularExpressions;

namespace Whip.Tests.Proxy;

/// <summary>What RFC 9110 and RFC 9112 ask of a proxy, and what comparable proxies were reported to get wrong.</summary>
public sealed class HttpRulesTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private const string Get = "GET http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n";
    private const string Post = "POST http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n";

    [Theory]
    [InlineData("GET http://instance1.testdom/?token=s3cret HTTP/1.1 \r\n\r\n")]
    [InlineData("GET http://instance1.testdom/?token=s3cret\r\n\r\n")]
    [InlineData("GET http://instance1.testdom/\xc3\xa9?token=s3cret HTTP/1.1\r\n\r\n")]
    [InlineData("CONNECT s3cret@instance1.testdom HTTP/1.1\r\n\r\n")]
    [InlineData("GET http://user:s3cret@instance1.testdom/ HTTP/1.1\r\n\r\n")]
    [InlineData(Get + "Proxy-Authorization : Basic s3cret\r\n\r\n")]
    [InlineData(Get + "Cookie id=s3cret\r\n\r\n")]
    [InlineData(Get + "Content-Length: s3cret\r\n\r\n")]
    [InlineData(Get + "Transfer-Encoding: s3cret\r\n\r\n")]
    public async Task A_request_that_cannot_be_read_is_quoted_neither_in_the_log_nor_in_the_answer(string request)
    {
        await using var run = await ProxyRun.StartAsync();
        var answer = await run.AskAsync(request);
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", answer, StringComparison.Ordinal);
        await Patience.UntilAsync(() => run.Logs.Records.Any(record => record.Event.Id is 401 or 403), "the line of the log");
        Assert.DoesNotContain(run.Logs.Records, record => record.ToString().Contains("s3cret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("5;\nx\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5\nhello\r\n0\r\n\r\n")]
    [InlineData("5\r\nhello\n0\r\n\r\n")]
    [InlineData("5;\rx\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5\r\nhello\r\n0\n\r\n")]
    [InlineData("5\r\nhello\r\n0\r\n\n")]
    [InlineData("5\r\nhello\r\n0\r\nX: 1\n\r\n")]
    public async Task A_line_of_a_chunked_body_ends_with_CR_and_LF_in_both_directions(string body)
    {
        const string Chunked = "Transfer-Encoding: chunked\r\n\r\n";
        const string Smuggled = "GET http://instance1.testdom/smuggled HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n";
        await using var service = Service.Start(async leg =>
        {
            if (!(await Wire.ReadHeadAsync(leg)).StartsWith("GET", StringComparison.Ordinal))
            {
                await Wire.ReadToEndAsync(leg);
            }

            await leg.SendAsync("HTTP/1.1 200 OK\r\n" + Chunked + body);
        });
        await using var run = await ProxyRun.StartAsync(service);

        var up = await run.AllForAsync(Post + Chunked + body + Smuggled);
        var down = await run.AskAsync(Get + "\r\n");

        Assert.StartsWith("HTTP/1.1 400 ", up, StringComparison.Ordinal);
        Assert.Single(Regex.Matches(up, "^HTTP/1.1 ", RegexOptions.Multiline));
        Assert.StartsWith("HTTP/1.1 502 ", down, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Content-Length: 2\r\n\r\n", "{}", "tcp", "tcp")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n", "2\r\n{}\r\n0\r\n\r\n", "tcp", "tcp")]
    [InlineData("Content-Length: 2\r\n\r\n", "{}", "h2c, tcp", "tcp")]
    public async Task A_request_to_upgrade_may_have_a_body_and_the_streams_are_joined_after_it(string framing, string body, string asked, string passed)
    {
        await using var service = Service.Start(async leg =>
        {
            var head = await Wire.ReadHeadAsync(leg);
            Assert.Contains($"\r\nConnection: Upgrade\r\nUpgrade: {passed}\r\n", head, StringComparison.Ordinal);
            Assert.DoesNotContain("HTTP2-Settings", head, StringComparison.OrdinalIgnoreCase);
            Assert.Equal(body, await Wire.ReadAsync(leg, body.Length));
            await leg.SendAsync("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: TCP\r\n\r\nahead ");
            await leg.WriteAsync(await leg.ReadToEndAsync());
        });
        await using var run = await ProxyRun.StartAsync(service);
        var client = await run.ConnectAsync();

        await client.SendAsync(Post + $"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {asked}\r\nHTTP2-Settings: AAA\r\n{framing}{body}early ");
        var head = await Wire.ReadHeadAsync(client);
        await client.SendAsync("late");
        await client.CompleteWritesAsync();

        Assert.StartsWith("HTTP/1.1 101 UPGRADED\r\n", head, StringComparison.Ordinal);
        Assert.Equal("ahead early late", await Wire.ReadToEndAsync(client));
    }

    [Theory]
    [InlineData("Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "Upgrade: h2c")]
    [InlineData("Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n", "Upgrade: websocket")]
    [InlineData("Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n", "X: no protocol")]
    [InlineData("Upgrade: tcp\r\n\r\n", "Upgrade: tcp")]
    [InlineData("Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{", "Upgrade: tcp")]
    public async Task A_switch_to_what_was_not_asked_for_or_before_the_body_is_a_bad_gateway(string request, string answered)
    {
        await using var service = Service.Answering($"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n{answered}\r\n\r\n");
        await using var run = await ProxyRun.StartAsync(service);
        Assert.StartsWith("HTTP/1.1 502 ", await run.AskAsync(Post + request), StringComparison.Ordinal);
        Assert.DoesNotContain("h2c", service.Heads.Single(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Interim_answers_are_passed_on_whatever_their_number()
    {
        const int Count = 200;
        await using var service = Service.Answering(string.Concat(Enumerable.Repeat("HTTP/1.1 102 Processing\r\n\r\n", Count)) + Ok);
        await using var run = await ProxyRun.StartAsync(service);
        var answers = await run.AllForAsync(Get + "Connection: close\r\n\r\n");
        Assert.Equal(Count, Regex.Count(answers, "^HTTP/1.1 102 Processing\r$", RegexOptions.Multiline));
        Assert.EndsWith("ok", answers, StringComparison.Ordinal);

        var old = await run.AllForAsync("GET http://instance1.testdom/ HTTP/1.0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 ", old, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Interim_answers_have_64_KiB()
    {
        var hint = $"HTTP/1.1 103 Early Hints\r\nLink: {new string('x', 1000)}\r\n\r\n";
        await using var service = Service.Answering(string.Concat(Enumerable.Repeat(hint, 100)) + Ok);
        await using var run = await ProxyRun.StartAsync(service);
        var answers = await run.AllForAsync(Get + "Connection: close\r\n\r\n");
        Assert.InRange(Regex.Count(answers, "^HTTP/1.1 103 ", RegexOptions.Multiline), 50, 64);
        Assert.Contains("\nHTTP/1.1 502 ", answers, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("X-A : 1\r\nWhip-A: 1\r\nWhip-A: 2\r\nContent-Length: 2", "X-A: 1")]
    [InlineData("X-A \t: 1\r\nContent-Length: 2", "X-A: 1")]
    [InlineData("Content-Length: 2\r\nContent-Length: 2", "Content-Length: 2")]
    [InlineData("Content-Length: 2, 2\r\ncontent-length: 2", "Content-Length: 2")]
    public async Task What_no_two_readers_of_an_answer_can_read_differently_is_passed_on_in_its_one_form(string fields, string line)
    {
        await using var service = Service.Answering($"HTTP/1.1 200 OK\r\n{fields}\r\n\r\nok");
        await using var run = await ProxyRun.StartAsync(service);
        var client = await run.ConnectAsync();
        for (var i = 0; i < 2; i++)
        {
            var answer = await client.AskAsync(Get + "\r\n");
            Assert.EndsWith("\r\n\r\nok", answer, StringComparison.Ordinal);
            Assert.Contains($"\r\n{line}\r\n", answer, StringComparison.Ordinal);
            Assert.Single(Regex.Matches(answer, "^Content-Length", RegexOptions.Multiline | RegexOptions.IgnoreCase));
        }

        Assert.Single(run.Dialer.Dials);
    }

    [Fact]
    public async Task A_length_without_a_body_is_passed_on_as_one_field_too()
    {
        await using var service = Service.Answering("HTTP/1.1 200 OK\r\nContent-Length: 9, 9\r\nContent-Length: 9\r\n\r\n");
        await using var run = await ProxyRun.StartAsync(service);
        var client = await run.ConnectAsync();
        await client.SendAsync(Get.Replace("GET", "HEAD", StringComparison.Ordinal) + "\r\n");
        var lines = (await Wire.ReadHeadAsync(client)).Split("\r\n");
        Assert.Equal(["Content-Length: 9"], lines.Where(line => line.StartsWith("Content-Length", StringComparison.OrdinalIgnoreCase)));
    }

    [Theory]
    [InlineData("Content-Length : 2")]
    [InlineData("Transfer-Encoding : chunked")]
    [InlineData("Content-Length: 2\r\nContent-Length : 2")]
    [InlineData("Content-Length: 2\r\nContent-Length: 3")]
    [InlineData("Content-Length: 2, 3")]
    [InlineData("Content-Length: ,")]
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")]
    public async Task An_answer_whose_end_two_readers_could_read_differently_is_a_bad_gateway(string fields)
    {
        await using var service = Service.Answering($"HTTP/1.1 200 OK\r\n{fields}\r\n\r\nok");
        await using var run = await ProxyRun.StartAsync(service);
        Assert.StartsWith("HTTP/1.1 502 ", await run.AskAsync(Get + "\r\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Get + "X-A : 1\r\n\r\n", "X-A has a space before its colon")]
    [InlineData(Post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", "stands twice")]
    [InlineData(Post + "Content-Length: 2, 2\r\n\r\n{}", "not a number")]
    [InlineData("GET http://instance1.testdom/caf\xc3\xa9 HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n", "percent-encode")]
    [InlineData("GET /caf\xc3\xa9 HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n", "percent-encode")]
    public async Task A_request_gets_none_of_this_and_a_line_that_says_why(string request, string why)
    {
        await using var service = Service.Answering(Ok);
        await using var run = await ProxyRun.StartAsync(service);
        var answer = await run.AllForAsync(request);
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains(why, answer.Split("\r\n\r\n")[1], StringComparison.Ordinal);
        Assert.Empty(service.Heads);
    }

    [Theory]
    [InlineData("TRACE http://instance1.testdom/a?b HTTP/1.1")]
    [InlineData("OPTIONS http://instance1.testdom/ HTTP/1.1")]
    [InlineData("OPTIONS * HTTP/1.1")]
    public async Task A_request_that_may_go_no_further_is_answered_here(string line)
    {
        await using var run = await ProxyRun.StartAsync(configure: options => options.Password = "s3cret");
        var client = await run.ConnectAsync();
        var answer = await client.AskAsync(
            $"{line}\r\nHost: instance1.testdom\r\nMax-Forwards: 0\r\nX-Mine: 1\r\nCookie: s3cret\r\nAuthorization: Basic s3cret\r\n"
            + "X-Api-Key: s3cret\r\nProxy-Authorization: Basic d2hpcHByb3h5OnMzY3JldA==\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
        var body = answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        var isTrace = line.StartsWith("TRACE", StringComparison.Ordinal);
        Assert.Equal(isTrace ? $"{line}\r\nHost: instance1.testdom\r\nMax-Forwards: 0\r\nX-Mine: 1\r\n\r\n" : "", body);
        Assert.Equal(isTrace, answer.Contains("\r\nContent-Type: message/http\r\n", StringComparison.Ordinal));
        Assert.Empty(run.Dialer.Dials);
    }

    [Theory]
    [InlineData("TRACE", "1", "0")]
    [InlineData("OPTIONS", "10", "9")]
    [InlineData("OPTIONS", "99999999999999999999", "9223372036854775806")]
    [InlineData("GET", "0", "0")]
    [InlineData("GET", "7", "7")]
    public async Task Max_Forwards_is_counted_down_for_TRACE_and_OPTIONS(string method, string sent, string received)
    {
        await using var service = Service.Answering(Ok);
        await using var run = await ProxyRun.StartAsync(service);
        await run.AskAsync($"{method} http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\nMax-Forwards: {sent}\r\n\r\n");
        Assert.Contains($"\r\nMax-Forwards: {received}\r\n", Assert.Single(service.Heads), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Max-Forwards: -1")]
    [InlineData("Max-Forwards:")]
    [InlineData("Max-Forwards: 1\r\nMax-Forwards: 1")]
    public async Task A_Max_Forwards_that_is_no_number_is_refused(string field)
    {
        await using var run = await ProxyRun.StartAsync();
        var answer = await run.AskAsync($"OPTIONS http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n{field}\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("*")]
    [InlineData("http://127.0.0.1:{0}")]
    public async Task OPTIONS_of_the_server_itself_goes_to_the_target(string target)
    {
        await using var service = Service.Answering(Ok);
        await using var run = await ProxyRun.StartAsync(service, configure: options => options.Target = new Uri("http://instance1.testdom/base?k=v"));
        var port = run.EndPoint.Port;
        Assert.EndsWith(
            "ok",
            await run.AskAsync($"OPTIONS {string.Format(null, target, port)} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("OPTIONS * HTTP/1.1\r\n", Assert.Single(service.Heads), StringComparison.Ordinal);
    }
}
