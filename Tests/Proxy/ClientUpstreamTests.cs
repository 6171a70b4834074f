using Whip.Protocol.Legs;
using Whip.Proxy.Requests;

namespace Whip.Tests.Proxy;

/// <summary>An upstream connection belongs to the client's connection that caused it, for that client's next requests and no longer.</summary>
public sealed class ClientUpstreamTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private const string Get = "GET http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n";
    private const string Post = "POST http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\nContent-Length: 5\r\n\r\nhello";

    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task Two_clients_never_share_one_and_each_uses_its_own_again()
    {
        var connections = 0;
        await using var service = Service.Start(async leg =>
        {
            // As a login that belongs to the connection: whoever sends on it is answered as the one who logged in.
            var login = Interlocked.Increment(ref connections);
            while (await Wire.ReadHeadAsync(leg) is { Length: > 0 })
            {
                await leg.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{login}");
            }
        });
        await using var run = await ProxyRun.StartAsync(service);
        var first = await run.ConnectAsync();
        var second = await run.ConnectAsync();

        foreach (var (client, login) in new[] { (first, "1"), (second, "2"), (first, "1"), (second, "2"), (first, "1") })
        {
            Assert.EndsWith($"\r\n\r\n{login}", await client.AskAsync(Get), StringComparison.Ordinal);
        }

        Assert.Equal(2, run.Dialer.Dials.Count);
    }

    [Theory]
    [InlineData("GET http://instance2.testdom/ HTTP/1.1\r\nHost: instance2.testdom\r\n\r\n", "instance2.testdom:80")]
    [InlineData("GET http://instance1.testdom:81/ HTTP/1.1\r\nHost: instance1.testdom:81\r\n\r\n", "instance1.testdom:81")]
    [InlineData("CONNECT instance1.testdom:80 HTTP/1.1\r\n\r\n", "instance1.testdom:80")]
    public async Task A_request_to_another_upstream_ends_it_before_that_one_is_dialled(string request, string name)
    {
        var ended = new TaskCompletionSource();
        await using var service = AnsweringUntil(ended);
        await using var other = Service.Answering(Ok);
        await using var run = await ProxyRun.StartAsync(service);
        var client = await run.ConnectAsync();
        await client.AskAsync(Get);
        run.Dialer.Map(name, async cancellationToken =>
        {
            await ended.Task.WaitAsync(Patience.Long, cancellationToken);
            return Whip.Protocol.Dialing.DialResult.Connected(await Leg.ConnectAsync(other.EndPoint, cancellationToken));
        });

        Assert.StartsWith("HTTP/1.1 200 ", await client.AskAsync(request), StringComparison.Ordinal);

        Assert.Equal(["instance1.testdom:80", name], run.Dialer.Dials);
    }

    [Fact]
    public async Task It_is_idle_for_5_seconds_at_most_and_its_client_stays()
    {
        var ended = new TaskCompletionSource();
        var time = new CountedTimers();
        await using var service = AnsweringUntil(ended);
        await using var run = await ProxyRun.StartAsync(service, time: time);
        var client = await run.ConnectAsync();
        await client.AskAsync(Get);
        await time.UntilTimerAsync(IdleTimeout);

        // An answer of the proxy's own does not make it any younger.
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.StartsWith("HTTP/1.1 400 ", await client.AskAsync("GET / HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
        await time.UntilTimerAsync(TimeSpan.FromSeconds(2));
        Assert.False(ended.Task.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(2));

        await ended.Task.WaitAsync(Patience.Long);
        Assert.EndsWith("ok", await client.AskAsync(Get), StringComparison.Ordinal);
        Assert.Equal(2, run.Dialer.Dials.Count);
    }

    [Fact]
    public async Task It_ends_at_once_when_the_proxy_drains()
    {
        var ended = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        await using var service = AnsweringUntil(ended);
        await using var slow = Service.Start(async leg =>
        {
            await Wire.ReadHeadAsync(leg);
            await go.Task;
            await leg.SendAsync(Ok);
            await Wire.ReadToEndAsync(leg);
        });
        await using var run = await ProxyRun.StartAsync(service);
        run.Dialer.Map("slow.testdom:80", slow.EndPoint);
        await run.AskAsync(Get);
        var asking = await run.ConnectAsync();
        await asking.SendAsync("GET http://slow.testdom/ HTTP/1.1\r\nHost: slow.testdom\r\n\r\n");
        await Patience.UntilAsync(() => slow.Connections == 1, "the slow request's dial");

        var stop = run.Proxy.StopAsync();

        await ended.Task.WaitAsync(Patience.Long);
        Assert.False(stop.IsCompleted);

        // The one that is in use ends with its answer.
        go.SetResult();
        Assert.EndsWith("ok", await Wire.ReadAnswerAsync(asking), StringComparison.Ordinal);
        asking.Dispose();
        await stop.WaitAsync(Patience.Long);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task When_it_ends_while_idle_its_client_is_closed_too(bool tls, bool reset)
    {
        var end = new TaskCompletionSource();
        await using var service = Service.Start(async leg =>
        {
            await Wire.ReadHeadAsync(leg);
            await leg.SendAsync(Ok);
            await end.Task;
            if (reset)
            {
                leg.Abort();
            }
        });
        await using var run = await ProxyRun.StartAsync(service, tls);
        var client = await run.ConnectAsync();
        await client.AskAsync(Get);

        end.SetResult();

        Assert.Empty(await client.ReadToEndAsync());
    }

    [Fact]
    public async Task When_it_ends_while_the_next_request_is_read_that_request_is_served()
    {
        var ended = new TaskCompletionSource();
        await using var service = Service.Start(async leg =>
        {
            await Wire.ReadHeadAsync(leg);
            await leg.SendAsync(Ok);
            await leg.CompleteWritesAsync();
            await Wire.ReadToEndAsync(leg);
            ended.TrySetResult();
        });
        await using var run = await ProxyRun.StartAsync(service);
        var client = await run.ConnectAsync();

        // The proxy reads both pieces at once, so it has the second one before the service can end.
        Assert.EndsWith("ok", await client.AskAsync(Get + Post[..20]), StringComparison.Ordinal);
        await ended.Task.WaitAsync(Patience.Long);
        await client.SendAsync(Post[20..]);

        Assert.EndsWith("ok", await Wire.ReadAnswerAsync(client), StringComparison.Ordinal);
        Assert.Equal(2, run.Dialer.Dials.Count);
    }

    [Fact]
    public async Task It_is_idle_for_no_longer_while_the_next_request_is_read()
    {
        var ended = new TaskCompletionSource();
        var time = new CountedTimers();
        await using var service = AnsweringUntil(ended);
        await using var run = await ProxyRun.StartAsync(service, time: time);
        var client = await run.ConnectAsync();
        await client.AskAsync(Get + Post[..20]);
        await time.UntilTimerAsync(IdleTimeout);

        time.Advance(IdleTimeout);

        await ended.Task.WaitAsync(Patience.Long);
        Assert.EndsWith("ok", await client.AskAsync(Post[20..]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Get)]
    [InlineData(Post)]
    public async Task When_it_ends_instead_of_answering_the_client_sees_what_it_would_see_at_the_service(string request)
    {
        await using var service = Service.Start(async leg =>
        {
            await Wire.ReadHeadAsync(leg);
            await leg.SendAsync(Ok);
            await Wire.ReadHeadAsync(leg);
        });
        await using var run = await ProxyRun.StartAsync(service);
        var client = await run.ConnectAsync();
        await client.AskAsync(Get);

        await client.SendAsync(request);

        Assert.Equal("", await Wire.ReadToEndAsync(client));
        Assert.Single(run.Dialer.Dials);
        await run.Logs.WaitForAsync(nameof(ProxyLog.BrokeOff));
        Assert.Contains(
            "whip_proxy_requests_total{upstream_http=\"HTTP/1.1\",status=\"\",error=\"true\"} 1\n", await run.ScrapeAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_it_sends_what_nobody_asked_for_it_is_not_used_again()
    {
        var ended = new TaskCompletionSource();
        await using var service = Service.Start(async leg =>
        {
            await Wire.ReadHeadAsync(leg);
            await leg.SendAsync(Ok);
            await leg.SendAsync("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
            await Wire.ReadToEndAsync(leg);
            ended.TrySetResult();
        });
        await using var run = await ProxyRun.StartAsync(service);
        var client = await run.ConnectAsync();

        Assert.EndsWith("ok", await client.AskAsync(Get), StringComparison.Ordinal);
        await ended.Task.WaitAsync(Patience.Long);

        Assert.EndsWith("ok", await client.AskAsync(Get), StringComparison.Ordinal);
        Assert.Equal(2, run.Dialer.Dials.Count);
    }

    [Theory]
    [InlineData("GET http://instance1.testdom/ HTTP/1.0\r\n\r\n")]
    [InlineData("GET http://instance1.testdom/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")]
    [InlineData("GET http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\nConnection: close\r\n\r\n")]
    public async Task After_a_clients_last_request_it_ends(string request)
    {
        var ended = new TaskCompletionSource();
        await using var service = AnsweringUntil(ended);
        await using var run = await ProxyRun.StartAsync(service);
        var client = await run.ConnectAsync();

        Assert.EndsWith("ok", await client.AskAsync(request), StringComparison.Ordinal);

        await ended.Task.WaitAsync(Patience.Long);
        Assert.Empty(await client.ReadToEndAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_ends_with_its_client(bool reset)
    {
        var ended = new TaskCompletionSource();
        await using var service = AnsweringUntil(ended);
        await using var run = await ProxyRun.StartAsync(service);
        var client = await run.ConnectAsync();
        await client.AskAsync(Get);

        await (reset ? Task.Run(client.Abort) : client.DisposeAsync().AsTask());

        // A client that is gone while its answer is still written cuts the upstream off.
        await Task.WhenAny(ended.Task).WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task Requests_that_are_sent_at_once_are_answered_in_order_over_one_connection_at_a_time()
    {
        await using var first = Service.Answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst");
        await using var second = Service.Answering("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond");
        await using var run = await ProxyRun.StartAsync();
        run.Dialer.Map("instance1.testdom:80", first.EndPoint);
        run.Dialer.Map("instance2.testdom:80", second.EndPoint);
        var client = await run.ConnectAsync();

        await client.SendAsync(Get + "\r\n" + Get + Get.Replace("instance1", "instance2") + Get);

        foreach (var body in new[] { "first", "first", "second", "first" })
        {
            Assert.EndsWith($"\r\n\r\n{body}", await Wire.ReadAnswerAsync(client), StringComparison.Ordinal);
        }

        Assert.Equal(["instance1.testdom:80", "instance2.testdom:80", "instance1.testdom:80"], run.Dialer.Dials);
    }

    // Answers every request; tells when one of its connections has ended, and that it was reset if it was.
    private static Service AnsweringUntil(TaskCompletionSource ended) => Service.Start(async leg =>
    {
        try
        {
            while (await Wire.ReadHeadAsync(leg) is { Length: > 0 })
            {
                await leg.SendAsync(Ok);
            }

            ended.TrySetResult();
        }
        catch (IOException error)
        {
            ended.TrySetException(error);
        }
    });
}
