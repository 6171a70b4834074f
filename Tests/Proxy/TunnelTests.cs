using System.Text;
using Whip.Protocol.Dialing;

namespace Whip.Tests.Proxy;

public sealed class TunnelTests
{
    private const string Connect = "CONNECT instance1.testdom:5051 HTTP/1.1\r\nHost: instance1.testdom:5051\r\n\r\n";

    [Theory, PlainAndTls]
    public async Task An_end_of_stream_goes_through_while_the_answer_still_comes(bool tls)
    {
        await using var service = Service.Start(async leg =>
        {
            var all = await leg.ReadToEndAsync();
            await leg.WriteAsync(all);
        });
        await using var run = await ProxyRun.StartAsync(service, tls);
        var client = await run.ConnectAsync();

        await client.SendAsync(Connect + "early ");
        var head = await Wire.ReadHeadAsync(client);
        var payload = new string('x', 1_000_000);
        await client.SendAsync(payload);
        await client.CompleteWritesAsync();

        Assert.StartsWith("HTTP/1.1 200 ", head, StringComparison.Ordinal);
        Assert.DoesNotContain("Content-Length", head, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("early " + payload, Encoding.ASCII.GetString(await client.ReadToEndAsync()));
    }

    [Fact]
    public async Task A_reset_upstream_is_a_reset_for_the_client()
    {
        await using var service = Service.Start(async leg =>
        {
            await leg.ReadExactlyAsync(1);
            leg.Abort();
        });
        await using var run = await ProxyRun.StartAsync(service);
        var client = await run.ConnectAsync();

        await client.SendAsync(Connect + "x");

        Assert.StartsWith("HTTP/1.1 200 ", await Wire.ReadHeadAsync(client), StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(() => client.ReadToEndAsync());
    }

    [Theory]
    [InlineData(DialOutcome.NoSuchHost, 404)]
    [InlineData(DialOutcome.NoSuchDomain, 404)]
    [InlineData(DialOutcome.PortNotPublished, 403)]
    [InlineData(DialOutcome.Denied, 403)]
    [InlineData(DialOutcome.AgentFailed, 502)]
    [InlineData(DialOutcome.DeadlineExceeded, 504)]
    [InlineData(DialOutcome.Overloaded, 503)]
    [InlineData(DialOutcome.Unavailable, 503)]
    [InlineData(DialOutcome.BadRequest, 400)]
    [InlineData(DialOutcome.NotHolder, 502)]
    [InlineData(DialOutcome.BrokerUnreachable, 502)]
    [InlineData(DialOutcome.ProtocolError, 502)]
    public async Task Every_failed_dial_has_its_status_and_one_line_that_says_why(DialOutcome outcome, int status)
    {
        await using var run = await ProxyRun.StartAsync();
        run.Dialer.Fail("instance1.testdom:5051", outcome, "because of the moon");
        var client = await run.ConnectAsync();
        using var http = run.CreateClient();

        await client.SendAsync(Connect);
        var answer = await Wire.ReadToEndAsync(client);
        var response = await http.GetAsync("http://instance1.testdom:5051/");

        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nwhip-proxy: because of the moon\n", answer, StringComparison.Ordinal);
        Assert.Equal(status == 503, answer.Contains("\r\nRetry-After: 1\r\n", StringComparison.Ordinal));
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("whip-proxy: because of the moon\n", await response.Content.ReadAsStringAsync());
        Assert.Equal(status == 503, response.Headers.RetryAfter is not null);
    }

    [Theory]
    [InlineData("CONNECT instance1.testdom HTTP/1.1\r\n\r\n")]
    [InlineData("CONNECT instance1.testdom:0 HTTP/1.1\r\n\r\n")]
    [InlineData("CONNECT instance1.testdom:65536 HTTP/1.1\r\n\r\n")]
    [InlineData("CONNECT :80 HTTP/1.1\r\n\r\n")]
    [InlineData("CONNECT  instance1.testdom:80 HTTP/1.1\r\n\r\n")]
    [InlineData("CONNECT instance1.testdom:80 HTTP/2\r\n\r\n")]
    [InlineData("CONNECT instance1.testdom:80\r\n\r\n")]
    [InlineData("CONNECT instance1.testdom:80 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("CONNECT instance1.testdom:80 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [InlineData("CONNECT instance1.testdom:80 HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("CONNECT instance1.testdom:80 HTTP/1.1\r\nA: b\r\n folded\r\n\r\n")]
    [InlineData("CONNECT instance1.testdom:80 HTTP/1.1\r\nA : b\r\n\r\n")]
    [InlineData("CONNECT instance1.testdom:80 HTTP/1.1\r\nA: b\0c\r\n\r\n")]
    [InlineData("CONNECT instance1.testdom:80 HTTP/1.1\r\nA: b\rc\r\n\r\n")]
    public async Task A_malformed_CONNECT_is_refused_without_a_dial(string request)
    {
        await using var run = await ProxyRun.StartAsync();
        Assert.StartsWith("HTTP/1.1 400 ", await run.AllForAsync(request), StringComparison.Ordinal);
        Assert.Empty(run.Dialer.Dials);
    }

    [Fact]
    public async Task A_client_that_leaves_during_the_dial_cancels_it()
    {
        var dialling = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        await using var run = await ProxyRun.StartAsync();
        run.Dialer.Map("instance1.testdom:5051", async cancellationToken =>
        {
            dialling.SetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken).ContinueWith(_ => cancelled.SetResult(), default, default, TaskScheduler.Default);
            throw new OperationCanceledException(cancellationToken);
        });
        var client = await run.ConnectAsync();

        await client.SendAsync(Connect);
        await dialling.Task.WaitAsync(Patience.Long);
        await client.DisposeAsync();

        await cancelled.Task.WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task A_CONNECT_may_follow_other_requests_on_its_connection()
    {
        await using var service = Service.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using var run = await ProxyRun.StartAsync(service);
        var client = await run.ConnectAsync();

        await client.AskAsync("GET http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n");
        await client.SendAsync(Connect + "GET / HTTP/1.1\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200 ", await Wire.ReadHeadAsync(client), StringComparison.Ordinal);
        Assert.EndsWith("ok", await Wire.ReadAnswerAsync(client), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connects_are_counted_by_outcome()
    {
        await using var service = Service.Start(leg => leg.ReadToEndAsync());
        await using var run = await ProxyRun.StartAsync(service);
        var client = await run.ConnectAsync();
        await client.SendAsync(Connect);
        await Wire.ReadHeadAsync(client);
        await run.AllForAsync("CONNECT nobody.testdom:1 HTTP/1.1\r\n\r\n");

        var scrape = await run.ScrapeAsync();

        Assert.Contains("whip_proxy_connects_total{outcome=\"connected\"} 1\n", scrape, StringComparison.Ordinal);
        Assert.Contains("whip_proxy_connects_total{outcome=\"no-such-domain\"} 1\n", scrape, StringComparison.Ordinal);
    }
}
