using Whip.Protocol.Dialing;
using Whip.Tests.Client;

namespace Whip.Tests.Broker.Dialing;

/// <summary>A kept connection to a holder that turns out to be of no use costs the forwarded dial nothing but time.</summary>
public sealed class StaleHolderTests
{
    [Theory]
    [InlineData(false, "")]
    [InlineData(true, "")]
    [InlineData(false, "HTTP/1.1 102 Processing\r\n\r\n")]
    [InlineData(true, "HTTP/1.1 102 Processing\r\n\r\n")]
    public async Task One_that_ends_before_the_answer_is_left_for_a_new_one(bool tls, string heard)
    {
        await using var run = new HolderRun(tls);
        var connections = 0;
        var holder = run.Add(async connection =>
        {
            var isFirst = Interlocked.Increment(ref connections) == 1;
            while (await connection.ServeAsync())
            {
                if (isFirst)
                {
                    await connection.ReadHeadAsync();
                    await connection.WriteAsync(heard);
                    connection.Reset();
                    return;
                }
            }
        });
        await run.ExchangeAsync(holder);
        await run.ExchangeAsync(holder);
        Assert.Equal(2, run.Accepted(holder));
        Assert.Contains("whip_broker_kept_stale_total{listener=\"holder\"} 1\n", await run.ScrapeAsync());
        Assert.Contains("whip_broker_kept_reused_total{listener=\"holder\"} 0\n", await run.ScrapeAsync());
    }

    [Theory, PlainAndTls]
    public async Task One_that_is_silent_is_left_for_a_new_one_in_the_same_time_with_all_that_idled_as_long(bool tls)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var run = new HolderRun(tls, time);
        var asked = new TaskCompletionSource();
        var (connections, ended) = (0, 0);
        var holder = run.Add(async connection =>
        {
            var isOld = Interlocked.Increment(ref connections) <= 2;
            try
            {
                await connection.ServeAsync();
                if (isOld && await connection.ReadHeadAsync() is { Length: > 0 })
                {
                    asked.SetResult();
                }

                await connection.WaitForEndAsync();
            }
            catch (IOException)
            {
                // Reset, as both old ones have to be.
            }

            Interlocked.Add(ref ended, isOld ? 1 : 0);
        });
        var (first, second) = (await run.DialAsync(holder), await run.DialAsync(holder));
        await first.DisposeAsync();
        await second.DisposeAsync();
        await run.UntilIdleAsync(2);
        var dial = run.TryDialAsync(holder, TimeSpan.FromSeconds(1));
        await asked.Task.WaitAsync(Patience.Long);
        time.Advance(TimeSpan.FromMilliseconds(399));
        Assert.False(dial.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        var result = await dial;
        Assert.True(result.IsConnected, result.Reason);
        await Patience.UntilAsync(() => Volatile.Read(ref ended) == 2, "both old ones to be ended");
        Assert.Equal((3, 0), (run.Accepted(holder), run.Connections.Kept));
        await result.Stream.DisposeAsync();
        await run.UntilIdleAsync(1);
    }

    [Theory, PlainAndTls]
    public async Task A_holder_that_is_frozen_has_the_time_of_one_attempt_and_no_more(bool tls)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var run = new HolderRun(tls, time);
        var asked = new SemaphoreSlim(0);
        var heads = new List<string>();
        var holder = run.Add(async connection =>
        {
            if (heads.Count == 0)
            {
                heads.Add("");
                await connection.ServeAsync();
            }

            heads.Add(await connection.ReadHeadAsync());
            asked.Release();
            await connection.WaitForEndAsync();
        });
        await run.ExchangeAsync(holder);
        var dial = run.TryDialAsync(holder, TimeSpan.FromSeconds(1));
        await asked.WaitAsync();
        time.Advance(TimeSpan.FromMilliseconds(400));
        await asked.WaitAsync();
        Assert.Contains("\r\nWhip-Deadline: 540\r\n", heads[2]);
        time.Advance(TimeSpan.FromMilliseconds(599));
        Assert.False(dial.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(DialOutcome.BrokerUnreachable, (await dial).Outcome);
    }
}
