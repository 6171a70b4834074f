using Whip.Protocol.Legs;

namespace Whip.Tests.Proxy;

/// <summary>Each phase of a request has its deadline on the clock of the proxy, and nothing that is slow but alive runs into one.</summary>
public sealed class DeadlineTests
{
    private const string Get = "GET http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n";
    private const string Post = "POST http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n";
    private const string Events = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";

    // For limits of minutes: few enough steps, and few enough that sockets follow each.
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData("GET http://instance1.testdom/ HTTP/1.1\r\nX:", 1, 408, "its head took longer than 1m")]
    [InlineData(Post + "Content-Length: 9\r\n\r\nhello", 5, 408, "no byte of its body came for 5m")]
    [InlineData(Post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 5, 408, "no byte of its body came for 5m")]
    [InlineData(Post + "Content-Length: 9\r\nExpect: 100-continue\r\n\r\n", 5, 504, "neither 100 nor an answer came for 5m")]
    [InlineData(Get, 15, 504, "it did not answer for 15m")]
    [InlineData(Post + "Content-Length: 5\r\n\r\nhello", 15, 504, "it did not answer for 15m")]
    public async Task What_stalls_is_ended_when_its_time_has_passed(string request, int minutes, int status, string why)
    {
        await using var service = Service.Start(leg => Wire.ReadToEndAsync(leg));
        await using var run = await ProxyRun.StartAsync(service, time: _time);
        var client = await run.ConnectAsync();
        await client.SendAsync(request);
        var (start, answer) = (_time.GetUtcNow(), Wire.ReadAnswerAsync(client));

        await _time.AdvanceUntilAsync(() => answer.IsCompleted, "the answer", Step);

        Assert.StartsWith($"HTTP/1.1 {status} ", await answer, StringComparison.Ordinal);
        Assert.Contains(why, await answer, StringComparison.Ordinal);
        Assert.InRange(_time.GetUtcNow() - start, TimeSpan.FromMinutes(minutes), TimeSpan.FromMinutes(minutes + 3));
    }

    [Fact]
    public async Task An_upstream_that_takes_nothing_of_a_body_is_late()
    {
        await using var hand = new ByHand();
        await using var run = await ProxyRun.StartAsync(hand.Service, time: _time);
        var client = await run.ConnectAsync();
        await client.SendAsync(Post + "Content-Length: 1000000000\r\n\r\n");
        var sending = SendWithoutEndAsync(client);
        var answer = Wire.ReadAnswerAsync(client);

        await _time.AdvanceUntilAsync(() => answer.IsCompleted, "the answer", Step);

        Assert.StartsWith("HTTP/1.1 504 ", await answer, StringComparison.Ordinal);
        client.Abort();
        await sending.WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task An_answer_that_stalls_is_cut_off()
    {
        await using var service = Service.Start(async leg =>
        {
            await Wire.ReadHeadAsync(leg);
            await leg.SendAsync(Events + "one");
            await Wire.ReadToEndAsync(leg);
        });
        await using var run = await ProxyRun.StartAsync(service, time: _time);
        var client = await run.ConnectAsync();
        await client.SendAsync(Get);
        await Wire.ReadHeadAsync(client);
        await Wire.ReadAsync(client, 3);
        var (start, end) = (_time.GetUtcNow(), client.ReadToEndAsync());

        await _time.AdvanceUntilAsync(() => end.IsCompleted, "the end", TimeSpan.FromMinutes(1));

        await Assert.ThrowsAsync<IOException>(() => end);
        Assert.True(_time.GetUtcNow() - start >= TimeSpan.FromHours(1));
    }

    [Fact]
    public async Task A_long_poll_and_slow_events_pass()
    {
        await using var hand = new ByHand();
        await using var run = await ProxyRun.StartAsync(hand.Service, time: _time);
        var client = await run.ConnectAsync();
        await client.SendAsync(Get);
        var upstream = await hand.Leg.WaitAsync(Patience.Long);
        await Wire.ReadHeadAsync(upstream);
        foreach (var head in new[] { "HTTP/1.1 102 Processing\r\n\r\n", Events })
        {
            await PassAsync(TimeSpan.FromMinutes(14));
            await upstream.SendAsync(head);
            Assert.StartsWith(head[..12], await Wire.ReadHeadAsync(client), StringComparison.Ordinal);
        }

        foreach (var letter in "abcd")
        {
            await PassAsync(TimeSpan.FromMinutes(59));
            await upstream.SendAsync($"{letter}");
            Assert.Equal($"{letter}", await Wire.ReadAsync(client, 1));
        }
    }

    [Fact]
    public async Task A_slow_upload_passes_and_so_does_a_client_that_is_silent_inside_its_body_once_the_answer_has_begun()
    {
        await using var hand = new ByHand();
        await using var run = await ProxyRun.StartAsync(hand.Service, time: _time);
        var client = await run.ConnectAsync();
        await client.SendAsync(Post + "Content-Length: 6\r\n\r\n");
        var upstream = await hand.Leg.WaitAsync(Patience.Long);
        await Wire.ReadHeadAsync(upstream);
        foreach (var letter in "abcde")
        {
            await PassAsync(TimeSpan.FromMinutes(4));
            await client.SendAsync($"{letter}");
            Assert.Equal($"{letter}", await Wire.ReadAsync(upstream, 1));
        }

        await upstream.SendAsync(Events);
        Assert.StartsWith("HTTP/1.1 200 ", await Wire.ReadHeadAsync(client), StringComparison.Ordinal);
        await PassAsync(TimeSpan.FromMinutes(50));
        await client.SendAsync("f");
        Assert.Equal("f", await Wire.ReadAsync(upstream, 1));
        await upstream.SendAsync("done");
        Assert.Equal("done", await Wire.ReadAsync(client, 4));
    }

    private static async Task SendWithoutEndAsync(Leg client)
    {
        try
        {
            while (true)
            {
                await client.WriteAsync(new byte[64 * 1024]);
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The proxy has ended the connection.
        }
    }

    private async Task PassAsync(TimeSpan duration)
    {
        var end = _time.GetUtcNow() + duration;
        await _time.AdvanceUntilAsync(() => _time.GetUtcNow() >= end, $"{duration}", TimeSpan.FromMinutes(1));
    }

    /// <summary>A service whose one connection the test uses itself.</summary>
    private sealed class ByHand : IAsyncDisposable
    {
        private readonly TaskCompletionSource<Leg> _leg = new();
        private readonly TaskCompletionSource _end = new();

        public ByHand() => Service = Service.Start(leg =>
        {
            _leg.SetResult(leg);
            return _end.Task;
        });

        public Service Service { get; }

        public Task<Leg> Leg => _leg.Task;

        public ValueTask DisposeAsync()
        {
            _end.SetResult();
            return Service.DisposeAsync();
        }
    }
}
