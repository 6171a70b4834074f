using Whip.Protocol.Kept;
using Whip.Protocol.Legs;

namespace Whip.Tests.Protocol.Kept;

/// <summary>How a dialer leaves a dial on a kept connection: what becomes of the connection, and what of what was sent.</summary>
public sealed class DisposeTests
{
    private static readonly byte[] End = [1, 0, 0, 0];
    private static readonly byte[] Done = [5, 0, 0, 0];

    [Theory, PlainAndTls]
    public async Task A_disposed_stream_is_dead_and_never_reaches_the_next_dial(bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls);
        var first = await run.DialAsync();
        await first.EndAsync();
        var second = await run.DialAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => first.Dialer.WriteAsync("late"u8.ToArray()).AsTask());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => first.Dialer.ReadAsync(new byte[1]).AsTask());
        Assert.Throws<ObjectDisposedException>(() => first.Dialer.Write([1], 0, 1));
        await first.Dialer.DisposeAsync();
        first.Dialer.Dispose();
        first.Dialer.Abort();
        await second.Dialer.WriteAsync("mine"u8.ToArray());
        Assert.Equal("mine"u8.ToArray(), await second.Service.ReadExactlyAsync(4));
        await second.EndAsync();
    }

    [Theory, PlainAndTls]
    public async Task A_reset_after_the_dispose_takes_nothing_from_what_was_sent(bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls);
        var dial = await run.DialAsync();
        await dial.Dialer.WriteAsync("all"u8.ToArray());
        await dial.Dialer.DisposeAsync();
        dial.Dialer.Abort();
        Assert.Equal("all"u8.ToArray(), await dial.Service.ReadToEndAsync());
        await dial.Service.CompleteWritesAsync();
        await dial.AssertIdleAsync();
    }

    [Theory, PlainAndTls]
    public async Task A_synchronous_user_may_read_write_and_dispose(bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls);
        var dial = await run.DialAsync();
        var answer = new byte[4];
        var user = Task.Run(() =>
        {
            dial.Dialer.Write("ping"u8);
            dial.Dialer.ReadExactly(answer);
            dial.Dialer.Dispose();
        });
        Assert.Equal("ping"u8.ToArray(), await dial.Service.ReadExactlyAsync(4));
        await dial.Service.WriteAsync("pong"u8.ToArray());
        await user.WaitAsync(Patience.Long);
        Assert.Equal("pong"u8.ToArray(), answer);
        Assert.Empty(await dial.Service.ReadToEndAsync());
        await dial.Service.CompleteWritesAsync();
        await dial.AssertIdleAsync();
    }

    [Theory, PlainAndTls]
    public async Task A_little_that_nobody_read_is_dropped_and_the_connection_kept(bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls);
        var dial = await run.DialAsync();
        await dial.Service.WriteAsync(new byte[60_000]);
        await dial.Dialer.ReadExactlyAsync(10);
        await dial.EndAsync();
    }

    [Theory, PlainAndTls]
    public async Task A_service_that_goes_on_sending_is_reset(bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls);
        var dial = await run.DialAsync();
        var sending = SendForeverAsync(dial.Service);
        await dial.Dialer.ReadExactlyAsync(1);
        await dial.Dialer.DisposeAsync();
        await dial.Dialer.Finishing.WaitAsync(Patience.Long);
        await sending.WaitAsync(Patience.Long);
        Assert.Equal(RelayEnd.AReset, (await dial.Relay.WaitAsync(Patience.Long)).End);
        Assert.False(dial.Idle.IsCompleted);
    }

    [Theory, PlainAndTls]
    public async Task A_read_that_is_pending_dies_and_takes_nothing_from_the_next_dial(bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls);
        var first = await run.DialAsync();
        var pending = first.Dialer.ReadAsync(new byte[100]).AsTask();
        await first.Dialer.DisposeAsync();
        Assert.Empty(await first.Service.ReadToEndAsync());
        await first.Service.CompleteWritesAsync();
        await first.AssertIdleAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pending.WaitAsync(Patience.Long));
        var second = await run.DialAsync();
        await second.Service.WriteAsync("mine"u8.ToArray());
        Assert.Equal("mine"u8.ToArray(), await second.Dialer.ReadExactlyAsync(4));
        await second.EndAsync();
    }

    [Theory, PlainAndTls]
    public async Task A_read_that_is_cancelled_while_it_waits_has_taken_nothing(bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls);
        var dial = await run.DialAsync();
        for (var i = 0; i < 3; i++)
        {
            using var cancel = new CancellationTokenSource();
            var pending = dial.Dialer.ReadAsync(new byte[100], cancel.Token).AsTask();
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending.WaitAsync(Patience.Long));
        }

        await dial.Service.WriteAsync("whole"u8.ToArray());
        Assert.Equal("whole"u8.ToArray(), await dial.Dialer.ReadExactlyAsync(5));
        await dial.EndAsync();
    }

    [Theory, PlainAndTls]
    public async Task A_write_that_is_cancelled_or_overtaken_by_the_dispose_resets(bool tls)
    {
        foreach (var isCancelled in new[] { true, false })
        {
            await using var run = await KeptRun.StartAsync(tls);
            var dial = await run.DialAsync();
            using var cancel = new CancellationTokenSource();

            // Nobody reads, and it is more than fits on the way.
            var writing = dial.Dialer.WriteAsync(new byte[64 * 1024 * 1024], cancel.Token).AsTask();
            await Patience.UntilAsync(() => run.Near.IsWriting, "a write");
            await (isCancelled ? cancel.CancelAsync() : dial.Dialer.DisposeAsync().AsTask()).WaitAsync(Patience.Long);
            await Assert.ThrowsAnyAsync<Exception>(() => writing.WaitAsync(Patience.Long));
            Assert.True(writing.IsCompleted);
            if (isCancelled)
            {
                await dial.Dialer.DisposeAsync();
            }

            await Assert.ThrowsAnyAsync<IOException>(() => dial.Service.ReadToEndAsync());
            Assert.Equal(RelayEnd.AReset, (await dial.Relay.WaitAsync(Patience.Long)).End);
            await dial.Dialer.Finishing.WaitAsync(Patience.Long);
            Assert.False(dial.Idle.IsCompleted);
        }
    }

    [Theory, PlainAndTls]
    public async Task Writes_after_the_end_are_refused(bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls);
        var dial = await run.DialAsync();
        await dial.Dialer.CompleteWritesAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => dial.Dialer.WriteAsync(new byte[1]).AsTask());
        await dial.EndAsync();
    }

    [Theory, PlainAndTls]
    public async Task A_service_that_takes_its_time_gets_all_that_was_sent(bool tls)
    {
        // It reads only when the second has long passed.
        await using var run = await KeptRun.StartAsync(tls);
        var dial = await run.DialAsync(small: true);
        var sent = new byte[300_000];
        new Random(3).NextBytes(sent);
        var sending = dial.Dialer.WriteAsync(sent).AsTask();
        var first = await dial.Service.ReadExactlyAsync(1);
        await sending.WaitAsync(Patience.Long);
        var disposing = dial.Dialer.DisposeAsync().AsTask();
        run.Time.Advance(TimeSpan.FromSeconds(1));
        await disposing.WaitAsync(Patience.Long);
        run.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(sent, (byte[])[.. first, .. await dial.Service.ReadToEndAsync()]);
        await dial.Service.CompleteWritesAsync();
        Assert.Equal(RelayEnd.Clean, (await dial.Relay.WaitAsync(Patience.Long)).End);
        await dial.Dialer.Finishing.WaitAsync(Patience.Long);
    }

    [Theory, PlainAndTls]
    public async Task Data_that_comes_long_after_the_dispose_resets(bool tls)
    {
        var time = new FakeTimeProvider();
        await using var pair = await LegPair.ConnectAsync(tls);
        var dialer = new AskingStream(pair.Near, time, static () => Assert.Fail("used again"));
        await dialer.DisposeAsync();
        Assert.Equal(End, await pair.Far.ReadExactlyAsync(4));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(pair.Near.HasEnded);
        await pair.Far.WriteAsync(new byte[] { 0, 0, 0, 1, 42 });
        await Assert.ThrowsAnyAsync<IOException>(() => pair.Far.ReadToEndAsync());
        await dialer.Finishing.WaitAsync(Patience.Long);
    }

    [Theory]
    [InlineData(false, 64 * 1024, true)]
    [InlineData(true, 64 * 1024, true)]
    [InlineData(false, (64 * 1024) + 1, false)]
    [InlineData(true, (64 * 1024) + 1, false)]
    public async Task So_much_is_dropped_and_no_more(bool tls, int length, bool isKept)
    {
        var idle = new TaskCompletionSource();
        await using var pair = await LegPair.ConnectAsync(tls);
        var dialer = new AskingStream(pair.Near, new FakeTimeProvider(), idle.SetResult);
        await dialer.DisposeAsync();
        Assert.Equal(End, await pair.Far.ReadExactlyAsync(4));
        await pair.Far.WriteAsync((byte[])[0, (byte)(length >> 16), (byte)(length >> 8), (byte)length, .. new byte[length], .. End, .. Done]);
        await dialer.Finishing.WaitAsync(Patience.Long);
        Assert.Equal((isKept, !isKept), (idle.Task.IsCompleted, pair.Near.HasEnded));
    }

    [Theory, PlainAndTls]
    public async Task A_service_that_has_sent_and_does_not_end_within_a_second_is_reset(bool tls)
    {
        var time = new FakeTimeProvider();
        await using var pair = await LegPair.ConnectAsync(tls);
        var dialer = new AskingStream(pair.Near, time, static () => Assert.Fail("used again"));
        await pair.Far.WriteAsync(new byte[] { 0, 0, 0, 2, 42 });
        Assert.Equal([42], await dialer.ReadExactlyAsync(1));
        await pair.Far.WriteAsync(new byte[] { 43 });
        await dialer.DisposeAsync();
        Assert.Equal(End, await pair.Far.ReadExactlyAsync(4));
        await Patience.UntilAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return dialer.Finishing.IsCompleted;
            },
            "the reset");
        await Assert.ThrowsAnyAsync<IOException>(() => pair.Far.ReadToEndAsync());
    }

    [Theory, PlainAndTls]
    public async Task A_peer_that_never_ends_is_reset_after_a_minute(bool tls)
    {
        var time = new FakeTimeProvider();
        await using var pair = await LegPair.ConnectAsync(tls);
        var dialer = new AskingStream(pair.Near, time, static () => Assert.Fail("used again"));
        await dialer.DisposeAsync();
        await Patience.UntilAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(30));
                return dialer.Finishing.IsCompleted;
            },
            "the end of the connection");
        Assert.Equal(End, await pair.Far.ReadExactlyAsync(4));
        await Assert.ThrowsAnyAsync<IOException>(() => pair.Far.ReadToEndAsync());
    }

    [Theory, PlainAndTls]
    public async Task A_done_that_is_late_disturbs_nothing_but_the_connection_is_not_used_again(bool tls)
    {
        var time = new FakeTimeProvider();
        await using var pair = await LegPair.ConnectAsync(tls);
        var dialer = new AskingStream(pair.Near, time, static () => Assert.Fail("used again"));
        var released = new TaskCompletionSource();
        dialer.OnReleased(released.SetResult);
        await pair.Far.WriteAsync(End);
        Assert.Empty(await dialer.ReadToEndAsync());
        await dialer.DisposeAsync();
        Assert.Equal(End, await pair.Far.ReadExactlyAsync(4));
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.False(dialer.Finishing.IsCompleted);
        Assert.False(released.Task.IsCompleted);
        await pair.Far.WriteAsync(Done);
        await dialer.Finishing.WaitAsync(Patience.Long);
        Assert.True(pair.Near.HasEnded);
        Assert.True(released.Task.IsCompleted);
    }

    private static async Task SendForeverAsync(Leg leg)
    {
        try
        {
            while (true)
            {
                await leg.WriteAsync(new byte[10_000]);
            }
        }
        catch (IOException)
        {
            // Reset, as it has to be.
        }
    }
}
