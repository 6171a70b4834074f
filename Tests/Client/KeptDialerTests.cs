using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Whip.Client;
using Whip.Protocol.Dialing;
using Whip.Protocol.Tls;

namespace Whip.Tests.Client;

/// <summary>The library's side of kept connections: when one is used again, and when a new one is made.</summary>
public sealed class KeptDialerTests
{
    private static readonly DialRequest Request = new("instance1.testdom", 5051) { Deadline = TimeSpan.FromSeconds(60) };

    [Theory, PlainAndTls]
    public async Task Dials_one_after_the_other_share_a_connection(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var service = await RealService.StartAsync(broker, tls, connection => connection.EchoAsync());
        var dialer = Dialer(broker);
        for (var i = 0; i < 20; i++)
        {
            var stream = await dialer.DialAsync("web.testdom", service.Port).WaitAsync(Patience.Long);
            var tag = Encoding.ASCII.GetBytes($"dial {i}");
            await stream.WriteAsync(tag);
            await stream.CompleteWritesAsync();
            Assert.Equal(tag, await stream.ReadToEndAsync());
            await stream.DisposeAsync();
            await Patience.UntilAsync(() => dialer.Kept == 1, "the connection to be kept");
        }

        Assert.Contains("whip_broker_kept_reused_total{listener=\"dial\"} 19\n", await broker.ScrapeAsync());
        await broker.AssertNothingLeftAsync();
    }

    [Theory, PlainAndTls]
    public async Task An_HttpClient_uses_them_without_being_told(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var service = await RealService.StartAsync(broker, tls, async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
            await connection.EndAsync();
            await connection.WaitForEndAsync();
        });
        var dialer = Dialer(broker);
        using var client = new HttpClient(WhipHttp.CreateHandler(dialer));
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("hello", await client.GetStringAsync($"http://web.testdom:{service.Port}/").WaitAsync(Patience.Long));
            await Patience.UntilAsync(() => dialer.Kept == 1, "the connection to be kept");
        }

        Assert.Contains("whip_broker_kept_reused_total{listener=\"dial\"} 4\n", await broker.ScrapeAsync());
    }

    [Fact]
    public async Task Keep_false_asks_for_nothing()
    {
        var heads = new List<string>();
        await using var front = new FakeDialFront(false, async connection =>
        {
            heads.Add(await connection.ReadHeadAsync());
            await connection.WriteAsync(FakeDialConnection.Established);
            await connection.WaitForEndAsync();
        });
        var options = new WhipDialerOptions { Brokers = [front.Authority], Keep = false, Tls = { Enabled = false } };
        await using var stream = await new WhipDialer(options).DialAsync(Request).WaitAsync(Patience.Long);
        Assert.DoesNotContain("Keep", Assert.Single(heads));
        Assert.IsType<Whip.Protocol.Legs.Leg>(stream);
    }

    [Fact]
    public async Task Each_dial_draws_another_word()
    {
        var words = new List<string>();
        await using var front = new FakeDialFront(false, async connection =>
        {
            words.Add(KeptFront.Word(await connection.ReadHeadAsync()));
            await connection.WriteAsync(FakeDialConnection.Established);
            await connection.WaitForEndAsync();
        });
        var dialer = Dialers.To(false, front);
        for (var i = 0; i < 3; i++)
        {
            await using var stream = await dialer.DialAsync(Request).WaitAsync(Patience.Long);
        }

        Assert.Equal(3, words.Distinct().Count());
        Assert.All(words, word => Assert.Equal(16, word.Length));
        dialer.Dispose();
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: Whip-Keep\r\nWhip-Keep: 0000000000000000\r\n\r\n")]
    [InlineData("HTTP/1.1 404 x\r\nConnection: Whip-Keep\r\nWhip-Keep: 0000000000000000\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: Whip-Keep\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nWhip-Keep: WORD\r\n\r\n")]
    [InlineData("\0\0\0\u0001*HTTP/1.1 200 OK\r\nConnection: Whip-Keep\r\nWhip-Keep: WORD\r\n\r\n")]
    [InlineData("\u0006\0\0\0")]
    public async Task An_echo_that_is_not_ours_or_not_whole_is_a_protocol_error(string answer)
    {
        await using var front = new FakeDialFront(false, async connection =>
        {
            var word = KeptFront.Word(await connection.ReadHeadAsync());
            await connection.WriteAsync(answer.Replace("WORD", word, StringComparison.Ordinal));
            await connection.WaitForEndAsync();
        });
        var result = await Dialers.To(false, front).TryDialAsync(Request).AsTask().WaitAsync(Patience.Long);
        Assert.Equal(DialOutcome.ProtocolError, result.Outcome);
    }

    [Theory, PlainAndTls]
    public async Task A_refusal_leaves_the_connection_to_the_next_dial(bool tls)
    {
        await using var front = new FakeDialFront(tls, async connection =>
        {
            for (var i = 0; i < 3; i++)
            {
                await connection.WriteAsync(KeptFront.Refusal(KeptFront.Word(await connection.ReadHeadAsync()), 404, "nothing\n"));
            }

            await connection.ServeAsync();
            await connection.WaitForEndAsync();
        });
        var dialer = Dialers.To(tls, front);
        for (var i = 0; i < 3; i++)
        {
            var result = await dialer.TryDialAsync(Request).AsTask().WaitAsync(Patience.Long);
            Assert.Equal((DialOutcome.NoSuchHost, "nothing"), (result.Outcome, result.Reason));
        }

        await DialAsync(dialer);
        Assert.Equal(1, front.Accepted);
        dialer.Dispose();
    }

    [Theory]
    [InlineData("HTTP/1.1 404 x\r\nContent-Length: 8\r\nConnection: close\r\n\r\nnothing\n")]
    [InlineData("HTTP/1.1 404 x\r\nContent-Length: 2000\r\nConnection: Whip-Keep\r\nWhip-Keep: WORD\r\n\r\nnothing\n")]
    public async Task A_refusal_that_is_not_kept_or_too_long_is_the_last_of_its_connection(string answer)
    {
        await using var front = new FakeDialFront(false, async connection =>
        {
            var word = KeptFront.Word(await connection.ReadHeadAsync());
            await connection.WriteAsync(answer.Replace("WORD", word, StringComparison.Ordinal).PadRight(3000));
            await connection.WaitForEndAsync();
        });
        var dialer = Dialers.To(false, front);
        for (var i = 1; i <= 2; i++)
        {
            var result = await dialer.TryDialAsync(Request).AsTask().WaitAsync(Patience.Long);
            Assert.Equal((DialOutcome.NoSuchHost, i), (result.Outcome, front.Accepted));
        }
        dialer.Dispose();
    }

    [Theory, PlainAndTls]
    public async Task Cancellation_before_the_answer_resets_a_kept_connection_too(bool tls)
    {
        var asked = new TaskCompletionSource();
        var ended = new TaskCompletionSource<bool>();
        await using var front = new FakeDialFront(tls, async connection =>
        {
            await connection.ServeAsync();
            await connection.ReadHeadAsync();
            asked.SetResult();
            ended.SetResult(await connection.WaitForEndAsync());
        });
        var dialer = Dialers.To(tls, front);
        await DialAsync(dialer);
        using var cancel = new CancellationTokenSource();
        var dial = dialer.TryDialAsync(Request, cancel.Token).AsTask();
        await asked.Task.WaitAsync(Patience.Long);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dial.WaitAsync(Patience.Long));
        Assert.False(await ended.Task.WaitAsync(Patience.Long));
        Assert.Equal(1, front.Accepted);
        dialer.Dispose();
    }

    [Theory, PlainAndTls]
    public async Task A_dialer_of_services_ends_its_idle_connections_with_them(bool tls)
    {
        using var folder = new TempFolder();
        var ended = new TaskCompletionSource();
        await using var front = new FakeDialFront(tls, async connection =>
        {
            await connection.ServeAsync();
            await connection.WaitForEndAsync();
            ended.SetResult();
        });
        var services = new ServiceCollection().AddWhipDialer(options =>
        {
            options.Brokers.Add(front.Authority);
            options.Tls = tls ? TestCertificates.Shared.WriteClientFiles(folder.FullName, "dialer.testdom") : new WhipTlsOptions { Enabled = false };
        });
        using (var provider = services.BuildServiceProvider())
        {
            var dialer = Assert.IsType<WhipDialer>(provider.GetRequiredService<IWhipDialer>());
            await DialAsync(dialer);
            Assert.False(ended.Task.IsCompleted);
        }

        await ended.Task.WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task Dialers_of_different_certificates_share_nothing()
    {
        using var folder = new TempFolder();
        var policy = folder.Write("policy", """[{"dialer": "good.testdom", "name": "*", "allow": true}]""");
        await using var broker = await TestBroker.StartAsync(tls: true, options => options.DialPolicyPath = policy);
        await using var service = await RealService.StartAsync(broker, tls: true, connection => connection.EchoAsync());
        var (good, bad) = (Dialer(broker, "good.testdom"), Dialer(broker, "bad.testdom"));
        for (var i = 0; i < 3; i++)
        {
            var stream = await good.DialAsync("web.testdom", service.Port).WaitAsync(Patience.Long);
            await stream.CompleteWritesAsync();
            Assert.Empty(await stream.ReadToEndAsync());
            await stream.DisposeAsync();
            var refused = await bad.TryDialAsync(new DialRequest("web.testdom", service.Port)).AsTask().WaitAsync(Patience.Long);
            Assert.Equal(DialOutcome.Denied, refused.Outcome);
        }
    }

    /// <summary>One dial, ended at once, until its connection is kept.</summary>
    private static async Task DialAsync(WhipDialer dialer)
    {
        var stream = await dialer.DialAsync(Request).WaitAsync(Patience.Long);
        await stream.DisposeAsync();
        await Patience.UntilAsync(() => dialer.Kept == 1, "the connection to be kept");
    }

    private static WhipDialer Dialer(TestBroker broker, string name = "dialer.testdom") =>
        new(new WhipDialerOptions { Brokers = [$"{broker.Broker.DialEndPoint}"] }, broker.Client(name), TimeProvider.System, first: 0);
}
