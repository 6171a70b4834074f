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
}
