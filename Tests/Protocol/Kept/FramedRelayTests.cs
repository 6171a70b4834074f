using System.Text;
using Whip.Protocol.Kept;
using Whip.Protocol.Legs;

namespace Whip.Tests.Protocol.Kept;

/// <summary>A dial at the broker that holds the agent.</summary>
public sealed class FramedRelayTests() : FramedRelayContract(hops: 1);

/// <summary>A dial that one broker forwards to another.</summary>
public sealed class ForwardedRelayTests() : FramedRelayContract(hops: 2);

/// <summary>Each promise of the relay on kept connections, and that the connections outlive the dial.</summary>
public abstract class FramedRelayContract(int hops)
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Bytes_pass_both_ways_unchanged(bool tls, bool serviceTls)
    {
        await using var run = await KeptRun.StartAsync(tls, hops: hops);
        var dial = await run.DialAsync(serviceTls);
        var (up, down) = (RandomBytes(3_000_000, 1), RandomBytes(2_000_000, 2));
        var sending = Task.WhenAll(SendAllAsync(dial.Dialer, up), SendAllAsync(dial.Service, down));
        var (atService, atDialer) = (dial.Service.ReadToEndAsync(), dial.Dialer.ReadToEndAsync());
        Assert.Equal(up, await atService);
        Assert.Equal(down, await atDialer);
        await sending.WaitAsync(Patience.Long);
        await dial.Dialer.DisposeAsync();
        await dial.AssertIdleAsync();
        var result = await dial.Relay;
        Assert.Equal((3_000_000L, 2_000_000L, 0), (result.BytesAToB, result.BytesBToA, run.Outstanding));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    public async Task The_end_of_one_direction_is_passed_on_and_the_other_goes_on(bool tls, bool dialerFirst)
    {
        await using var run = await KeptRun.StartAsync(tls, hops: hops);
        var dial = await run.DialAsync();
        var (first, second) = dialerFirst ? ((WhipStream)dial.Dialer, (WhipStream)dial.Service) : (dial.Service, dial.Dialer);
        await first.WriteAsync("question"u8.ToArray());
        await first.CompleteWritesAsync();
        await first.CompleteWritesAsync();
        Assert.Equal("question"u8.ToArray(), await second.ReadToEndAsync());
        Assert.False(dial.Relay.IsCompleted);
        await second.WriteAsync("answer"u8.ToArray());
        Assert.Equal("answer"u8.ToArray(), await first.ReadExactlyAsync(6));
        await second.CompleteWritesAsync();
        Assert.Empty(await first.ReadToEndAsync());
        Assert.Equal(0, await first.ReadAsync(new byte[1]));
        await dial.Dialer.DisposeAsync();
        await dial.AssertIdleAsync();
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    public async Task A_reset_becomes_a_reset_and_never_a_clean_end(bool tls, bool byDialer)
    {
        await using var run = await KeptRun.StartAsync(tls, hops: hops);
        var dial = await run.DialAsync();
        await dial.Dialer.WriteAsync(new byte[10]);
        await dial.Service.ReadExactlyAsync(10);
        (byDialer ? (WhipStream)dial.Dialer : dial.Service).Abort();
        await Assert.ThrowsAnyAsync<IOException>(() => (byDialer ? (Stream)dial.Service : dial.Dialer).ReadToEndAsync());
        await dial.AssertEndedAsync(byDialer ? RelayEnd.AReset : RelayEnd.BReset);
    }

    [Theory, PlainAndTls]
    public async Task A_reset_after_the_dialers_end_reaches_the_service(bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls, hops: hops);
        var dial = await run.DialAsync();
        await dial.Dialer.CompleteWritesAsync();
        Assert.Empty(await dial.Service.ReadToEndAsync());
        dial.Dialer.Abort();
        await dial.AssertEndedAsync(RelayEnd.AReset);
    }

    [Theory, PlainAndTls]
    public async Task A_reset_after_the_services_end_reaches_the_dialer(bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls, hops: hops);
        var dial = await run.DialAsync();
        await dial.Service.CompleteWritesAsync();
        Assert.Empty(await dial.Dialer.ReadToEndAsync());
        run.Far.Abort();
        Assert.Equal(hops == 1 ? RelayEnd.AReset : RelayEnd.BReset, (await dial.Relay.WaitAsync(Patience.Long)).End);
        Assert.False(dial.Serving.IsDone);
        Assert.False(dial.Idle.IsCompleted);
    }

    [Theory, PlainAndTls]
    public async Task A_TLS_end_without_close_notify_at_the_service_becomes_a_reset(bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls, hops: hops);
        await using var service = await TruncatedTls.ConnectAsync();
        var dial = run.Dial(service.Accepted, service.Accepted);
        await service.WriteAsync([42]);
        Assert.Equal([42], await dial.Dialer.ReadExactlyAsync(1));
        service.SendFinWithoutCloseNotify();
        await Assert.ThrowsAnyAsync<IOException>(() => dial.Dialer.ReadToEndAsync());
        await dial.AssertEndedAsync(RelayEnd.BReset);
    }

    [Theory, PlainAndTls]
    public async Task A_cut_is_a_reset_at_both_sides(bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls, hops: hops);
        var dial = await run.DialAsync();
        await run.Cut.CancelAsync();
        await Assert.ThrowsAnyAsync<IOException>(() => dial.Dialer.ReadToEndAsync());
        await Assert.ThrowsAnyAsync<IOException>(() => dial.Service.ReadToEndAsync());
        Assert.Equal(RelayEnd.Cut, (await dial.Relay.WaitAsync(Patience.Long)).End);
    }

    [Theory, PlainAndTls]
    public async Task The_thousand_and_first_dial_is_as_clean_as_the_first(bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls, hops: hops);
        for (var i = 0; i < 1001; i++)
        {
            var dial = await run.DialAsync();
            var tag = Encoding.ASCII.GetBytes($"dial {i} of many");
            await dial.Dialer.WriteAsync(tag);
            Assert.Equal(tag, await dial.Service.ReadExactlyAsync(tag.Length));
            await dial.Service.WriteAsync(tag);
            if (i % 2 == 0)
            {
                await dial.Dialer.CompleteWritesAsync();
                Assert.Empty(await dial.Service.ReadToEndAsync());
            }

            await dial.Service.CompleteWritesAsync();
            Assert.Equal(tag, await dial.Dialer.ReadToEndAsync());
            await dial.Dialer.DisposeAsync();
            await dial.AssertIdleAsync();
            dial.Service.Abort();
        }
    }

    [Theory, PlainAndTls]
    public async Task An_idle_dial_holds_no_buffer(bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls, hops: hops);
        var dial = await run.DialAsync();
        await dial.Dialer.WriteAsync(new byte[100_000]);
        await dial.Service.ReadExactlyAsync(100_000);
        await Patience.UntilAsync(() => run.Outstanding == 0, "the buffer to return after the burst");

        // Neither does one of which only a header has come.
        await run.Near.WriteAsync(new byte[] { 0, 0, 1, 0 });
        await run.Near.WriteAsync(new byte[] { 7 });
        Assert.Equal([7], await dial.Service.ReadExactlyAsync(1));
        await Patience.UntilAsync(() => run.Outstanding == 0, "the buffer to return before the frame is whole");
        Assert.False(dial.Relay.IsCompleted);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_TLS_end_without_close_notify_is_a_reset_to_the_other_side(bool byDialer)
    {
        await using var truncated = await TruncatedTls.ConnectAsync();
        await using var pair = await LegPair.ConnectAsync(tls: true);
        var context = new RelayContext(new RelayBuffers(new FakeTimeProvider()), new FakeTimeProvider(), TimeSpan.FromHours(1));
        var serving = new ServingStream(byDialer ? truncated.Accepted : pair.Far);
        var relay = Relay.RunAsync(serving, byDialer ? pair.Near : truncated.Accepted, context, CancellationToken.None);
        await truncated.WriteAsync(byDialer ? [0, 0, 0, 4, .. "half"u8] : [.. "half"u8]);
        Stream other = byDialer ? pair.Far : new AskingStream(pair.Near, TimeProvider.System, static () => Assert.Fail("used again"));
        Assert.Equal("half"u8.ToArray(), await other.ReadExactlyAsync(4));
        truncated.SendFinWithoutCloseNotify();
        await Assert.ThrowsAnyAsync<IOException>(() => other.ReadToEndAsync());
        Assert.Equal(byDialer ? RelayEnd.AReset : RelayEnd.BReset, (await relay.WaitAsync(Patience.Long)).End);
        Assert.False(serving.IsDone);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    public async Task A_half_closed_relay_without_a_byte_for_an_hour_is_reset(bool tls, bool dialerFirst)
    {
        await using var run = await KeptRun.StartAsync(tls);
        var dial = await run.DialAsync();
        var (first, second) = dialerFirst ? ((WhipStream)dial.Dialer, (WhipStream)dial.Service) : (dial.Service, dial.Dialer);
        await first.CompleteWritesAsync();
        Assert.Empty(await second.ReadToEndAsync());
        await Patience.UntilAsync(
            () =>
            {
                run.Time.Advance(TimeSpan.FromMinutes(61));
                return dial.Relay.IsCompleted;
            },
            "the half-open timeout");
        Assert.Equal(RelayEnd.HalfOpenTimeout, (await dial.Relay).End);
        await Assert.ThrowsAnyAsync<IOException>(() => first.ReadToEndAsync());
        Assert.False(dial.Idle.IsCompleted);
    }

    [Theory, PlainAndTls]
    public async Task A_dial_that_is_open_both_ways_may_be_silent_for_ever(bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls);
        var dial = await run.DialAsync();
        run.Time.Advance(TimeSpan.FromDays(30));
        await dial.Dialer.WriteAsync("still here"u8.ToArray());
        Assert.Equal("still here"u8.ToArray(), await dial.Service.ReadExactlyAsync(10));
        await dial.EndAsync();
    }

    private static byte[] RandomBytes(int count, int seed)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static async Task SendAllAsync(WhipStream stream, byte[] bytes)
    {
        await stream.WriteAsync(bytes);
        await stream.CompleteWritesAsync();
    }
}
