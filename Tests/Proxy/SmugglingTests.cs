using System.Text.RegularExpressions;

namespace Whip.Tests.Proxy;

public sealed class SmugglingTests
{
    private const string Target = "POST http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n";
    private const string Smuggled = "GET http://secret.testdom/ HTTP/1.1\r\nHost: secret.testdom\r\n\r\n";

    [Theory]
    [InlineData(Target + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + Smuggled)]
    [InlineData(Target + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello" + Smuggled)]
    [InlineData(Target + "Content-Length: 5, 5\r\n\r\nhello" + Smuggled)]
    [InlineData(Target + "Content-Length: +5\r\n\r\nhello" + Smuggled)]
    [InlineData(Target + "Content-Length: -1\r\n\r\nhello" + Smuggled)]
    [InlineData(Target + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + Smuggled)]
    [InlineData(Target + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + Smuggled)]
    [InlineData(Target + "X: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + Smuggled)]
    [InlineData(Target + "X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + Smuggled)]
    [InlineData(Target + "X: a\0b\r\n\r\n" + Smuggled)]
    [InlineData(Target + "X: a\u0001b\r\n\r\n" + Smuggled)]
    [InlineData(Target + "X(: a\r\n\r\n" + Smuggled)]
    [InlineData(Target + "Host: secret.testdom\r\n\r\n" + Smuggled)]
    [InlineData("POST http://instance1.testdom/\thttp://secret.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n" + Smuggled)]
    [InlineData("POST http://instance1.testdom/ http://secret.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n" + Smuggled)]
    [InlineData("POST http://instance1.testdom/ HTTP/1.1 \r\nHost: instance1.testdom\r\n\r\n" + Smuggled)]
    public async Task A_request_that_two_readers_could_read_differently_is_refused_whole(string request)
    {
        await using var service = Service.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await using var run = await ProxyRun.StartAsync(service);
        run.Dialer.Map("secret.testdom:80", service.EndPoint);
        var answers = await run.AllForAsync(request);
        Assert.StartsWith("HTTP/1.1 400 ", answers, StringComparison.Ordinal);
        Assert.Single(Regex.Matches(answers, "^HTTP/1.1 ", RegexOptions.Multiline));
        Assert.Empty(service.Heads);
    }

    [Theory]
    [InlineData("x\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5\r\nhello!\r\n0\r\n\r\n")]
    [InlineData("-5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("fffffffffffffffff\r\nhello\r\n0\r\n\r\n")]
    public async Task A_body_framed_wrongly_is_refused_and_never_completed_upstream(string body)
    {
        var received = new TaskCompletionSource<string>();
        await using var service = Service.Start(async leg =>
        {
            await Wire.ReadHeadAsync(leg);
            received.SetResult(await Wire.ReadToEndAsync(leg));
        });
        await using var run = await ProxyRun.StartAsync(service);
        var answers = await run.AllForAsync(Target + "Transfer-Encoding: chunked\r\n\r\n" + body + Smuggled);
        Assert.StartsWith("HTTP/1.1 400 ", answers, StringComparison.Ordinal);
        Assert.Single(Regex.Matches(answers, "^HTTP/1.1 ", RegexOptions.Multiline));
        Assert.DoesNotContain("0\r\n\r\n", await received.Task.WaitAsync(Patience.Long), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\nX: ", "\r\n\r\n")]
    [InlineData("GET http://instance1.testdom/ HTTP/1.1\r\nX: ", "")]
    [InlineData("GET http://instance1.testdom/", "")]
    [InlineData("CONNECT instance1.testdom:80 HTTP/1.1\r\nX: ", "")]
    public async Task A_head_that_is_too_large_is_refused(string before, string after)
    {
        await using var run = await ProxyRun.StartAsync();
        Assert.StartsWith("HTTP/1.1 431 ", await run.AllForAsync(before + new string('x', 40_000) + after), StringComparison.Ordinal);
        await run.Logs.WaitForAsync(nameof(Whip.Proxy.Requests.ProxyLog.ClientRefused));
        Assert.Empty(run.Dialer.Dials);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH\r\n")]
    [InlineData("HTTP/2 200\r\n\r\n")]
    [InlineData("HTTP/1.1 999 X\r\n\r\n")]
    [InlineData("HTTP/1.1 20 X\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\rSet-Cookie: c\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA b\r\n\r\n")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le")]
    [InlineData("")]
    public async Task An_answer_that_cannot_be_read_is_a_bad_gateway(string answer)
    {
        await using var service = Service.Start(async leg =>
        {
            await Wire.ReadHeadAsync(leg);
            await leg.SendAsync(answer);
        });
        await using var run = await ProxyRun.StartAsync(service);
        using var client = run.CreateClient();

        using var response = await client.GetAsync("http://instance1.testdom/");

        Assert.Equal(502, (int)response.StatusCode);
        Assert.StartsWith("whip-proxy: instance1.testdom:80: ", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Content-Length: 9\r\n\r\nok")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n2\r\nok")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n")]
    public async Task A_body_that_breaks_off_breaks_off_for_the_client(string rest)
    {
        await using var service = Service.Start(async leg =>
        {
            await Wire.ReadHeadAsync(leg);
            await leg.SendAsync("HTTP/1.1 200 OK\r\n" + rest);
        });
        await using var run = await ProxyRun.StartAsync(service);
        using var client = run.CreateClient();

        try
        {
            using var response = await client.GetAsync("http://instance1.testdom/");
            Assert.Equal(502, (int)response.StatusCode);
        }
        catch (HttpRequestException)
        {
            // The answer had begun.
        }
    }
}
