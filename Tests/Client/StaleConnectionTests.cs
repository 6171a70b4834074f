using Whip.Client;
using Whip.Protocol.Dialing;

namespace Whip.Tests.Client;

/// <summary>A kept connection that turns out to be of no use costs the dial that took it nothing but time.</summary>
public sealed class StaleConnectionTests
{
    private static readonly DialRequest Request = new("instance1.testdom", 5051) { Deadline = TimeSpan.FromSeconds(60) };

    [Theory]
    [InlineData(false, "")]
    [InlineData(true, "")]
    [InlineData(false, "HTTP/1.1 102 Processing\r\n\r\n")]
    [InlineData(true, "HTTP/1.1 102 Processing\r\n\r\n")]
    public async Task A_kept_connection_that_ends_before_the_answer_costs_the_dial_nothing(bool tls, string heard)
    {
        var connections = 0;
        await using var front = new FakeDialFront(tls, async connection =>
        {
            var isFirst = Interlocked.Increment(ref connections) == 1;
            await connection.ServeAsync();
            if (isFirst)
            {
                await connection.ReadHeadAsync();
                await connection.WriteAsync(heard);
                connection.Reset();
                return;
            }

            await connection.WaitForEndAsync();
        });
        var dialer = Dialers.To(tls, front);
        await DialAsync(dialer);
        await DialAsync(dialer);
        Assert.Equal(2, front.Accepted);
        dialer.Dispose();
    }

    [Theory, PlainAndTls]
    public async Task A_kept_connection_that_is_silent_is_left_for_a_new_one_with_all_that_idled_as_long(bool tls)
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource();
        var ended = new TaskCompletionSource<int>();
        var (connections, resets) = (0, 0);
        await using var front = new FakeDialFront(tls, async connection =>
        {
            var number = Interlocked.Increment(ref connections);
            try
            {
                var isWhole = await connection.ServeAsync();
                if (number <= 2 && isWhole && await connection.ReadHeadAsync() is { Length: > 0 })
                {
                    asked.SetResult();
                }

                await connection.WaitForEndAsync();
            }
            catch (IOException)
            {
                // Reset, as both have to be.
            }

            if (number <= 2 && Interlocked.Increment(ref resets) == 2)
            {
                ended.SetResult(resets);
            }
        });
        var dialer = Dialers.To(tls, time, front);
        var first = await dialer.DialAsync(Request).WaitAsync(Patience.Long);
        var second = await dialer.DialAsync(Request).WaitAsync(Patience.Long);
        await first.DisposeAsync();
        await second.DisposeAsync();
        await Patience.UntilAsync(() => dialer.Kept == 2, "both to be kept");
        var dial = DialAsync(dialer);
        await asked.Task.WaitAsync(Patience.Long);
        time.Advance(TimeSpan.FromMilliseconds(399));
        Assert.False(dial.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await dial.WaitAsync(Patience.Long);
        Assert.Equal(3, front.Accepted);
        Assert.Equal(2, await ended.Task.WaitAsync(Patience.Long));
        dialer.Dispose();
    }

    [Theory, PlainAndTls]
    public async Task After_silence_another_broker_is_asked_first(bool tls)
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource();
        await using var silent = new FakeDialFront(tls, async connection =>
        {
            await connection.ServeAsync();
            await connection.ReadHeadAsync();
            asked.TrySetResult();
            await connection.WaitForEndAsync();
        });
        await using var good = FakeDialFront.Good(tls);
        var dialer = Dialers.To(tls, time, silent, good);
        await DialAsync(dialer);
        var dial = dialer.DialAsync(Request);
        await asked.Task.WaitAsync(Patience.Long);
        time.Advance(TimeSpan.FromMilliseconds(400));
        await using var stream = await dial.WaitAsync(Patience.Long);
        Assert.Equal((1, 1), (silent.Accepted, good.Accepted));
        dialer.Dispose();
    }

    [Theory, PlainAndTls]
    public async Task A_report_in_time_says_that_the_connection_lives(bool tls)
    {
        var time = new CountedTimers();
        var next = new SemaphoreSlim(0);
        await using var front = new FakeDialFront(tls, async connection =>
        {
            await connection.ServeAsync();
            var head = await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 102 Processing\r\n\r\n");
            await next.WaitAsync();
            await connection.WriteAsync(KeptFront.Established(KeptFront.Word(head)));
            await connection.FinishAsync();
            await connection.WaitForEndAsync();
        });
        var dialer = Dialers.To(tls, time, front);
        await DialAsync(dialer);
        var before = time.RestartsOf(Timeout.InfiniteTimeSpan);
        var dial = DialAsync(dialer);

        // Set anew when the connection was taken, and by the report.
        await Patience.UntilAsync(() => time.RestartsOf(Timeout.InfiniteTimeSpan) == before + 2, "a report that was read");
        time.Advance(TimeSpan.FromSeconds(5));
        next.Release();
        await dial.WaitAsync(Patience.Long);
        Assert.Equal(1, front.Accepted);
        dialer.Dispose();
    }

    [Theory, PlainAndTls]
    public async Task A_broker_that_was_restarted_is_dialled_anew(bool tls)
    {
        var listen = $"127.0.0.1:{FreePort.Find(1).Single()}";
        WhipDialer? dialer = null;
        for (var i = 0; i < 3; i++)
        {
            await using var broker = await TestBroker.StartAsync(tls, options => options.DialListen = listen);
            await using var service = await RealService.StartAsync(broker, tls, connection => connection.EchoAsync());
            dialer ??= Dialer(broker);
            var stream = await dialer.DialAsync("web.testdom", service.Port).WaitAsync(Patience.Long);
            await stream.CompleteWritesAsync();
            Assert.Empty(await stream.ReadToEndAsync());
            await stream.DisposeAsync();
            await Patience.UntilAsync(() => dialer.Kept == 1, "the connection to be kept");
        }
    }

    [Theory, PlainAndTls]
    public async Task A_connection_that_the_network_between_has_forgotten_costs_the_dial_nothing(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var service = await RealService.StartAsync(broker, tls, connection => connection.EchoAsync());
        await using var nat = new ForgetfulNat(broker.Broker.DialEndPoint!);
        var options = new WhipDialerOptions { Brokers = [nat.Authority] };
        var dialer = new WhipDialer(options, broker.Client("dialer.testdom"), TimeProvider.System, first: 0);
        for (var i = 1; i <= 3; i++)
        {
            var stream = await dialer.DialAsync("web.testdom", service.Port).WaitAsync(Patience.Long);
            await stream.WriteAsync("still there?"u8.ToArray());
            await stream.CompleteWritesAsync();
            Assert.Equal("still there?"u8.ToArray(), await stream.ReadToEndAsync());
            await stream.DisposeAsync();
            await Patience.UntilAsync(() => dialer.Kept == 1, "the connection to be kept");
            nat.Forget();
            Assert.Equal(i, nat.Accepted);
        }

        dialer.Dispose();
    }

    /// <summary>One dial, ended at once, until its connection is kept.</summary>
    private static async Task DialAsync(WhipDialer dialer)
    {
        var stream = await dialer.DialAsync(Request).WaitAsync(Patience.Long);
        await stream.DisposeAsync();
        await Patience.UntilAsync(() => dialer.Kept == 1, "the connection to be kept");
    }

    private static WhipDialer Dialer(TestBroker broker) =>
        new(new WhipDialerOptions { Brokers = [$"{broker.Broker.DialEndPoint}"] }, broker.Client("dialer.testdom"), TimeProvider.System, first: 0);
}
