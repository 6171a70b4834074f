using Whip.Protocol.Kept;
using Whip.Protocol.Legs;

namespace Whip.Tests.Protocol.Kept;

/// <summary>Who may send what in which state of a dial: a hostile peer sends everything else, and the dial is reset on both sides.</summary>
public sealed class StateTableTests
{
    private static readonly byte[] End = [1, 0, 0, 0];
    private static readonly byte[] Done = [5, 0, 0, 0];
    private static readonly byte[] Data = [0, 0, 0, 1, 42];

    /// <summary>What nobody may send while a dial is on: all kinds but data and end, lengths that no frame has, and ends of the connection.</summary>
    public static TheoryData<string, bool> Forbidden
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (var bytes in new[]
            {
                "02000000", "0200000100", "03000000", "04000000", "05000000", "06000000", "07000000", "FF000000", "00000000", "00040001", "00FFFFFF",
                "01000001", "05000001", "434F4E4E45435420612E623A3120485454502F312E310D0A0D0A", "",
            })
            {
                data.Add(bytes, false);
                data.Add(bytes, true);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task On_an_asking_side_that_sends_what_it_may_not_resets_the_pair(string bytes, bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls);
        var dial = await run.DialAsync();
        await SendAsync(run.Near, bytes);
        await AssertResetAsync(dial, run);
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task On_and_ended_an_asking_side_that_sends_anything_resets_the_pair(string bytes, bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls);
        var dial = await run.DialAsync();
        await run.Near.WriteAsync(End);
        Assert.Empty(await dial.Service.ReadToEndAsync());
        await SendAsync(run.Near, bytes);
        await AssertResetAsync(dial, run, isServiceEnded: true);
    }

    [Theory, PlainAndTls]
    public async Task On_and_ended_an_asking_side_that_sends_data_or_ends_again_resets_the_pair(bool tls)
    {
        foreach (var more in new[] { Data, End })
        {
            await using var run = await KeptRun.StartAsync(tls);
            var dial = await run.DialAsync();
            await run.Near.WriteAsync((byte[])[.. End, .. more]);
            await AssertResetAsync(dial, run, isServiceEnded: true);
        }
    }

    [Theory, PlainAndTls]
    public async Task Both_ended_an_asking_side_that_does_not_wait_for_done_resets_the_pair(bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls);
        var dial = await run.DialAsync();
        await dial.Service.CompleteWritesAsync();
        Assert.Equal(End, await run.Near.ReadExactlyAsync(4));
        await run.Near.WriteAsync((byte[])[.. Data, .. End, .. Data]);
        await AssertResetAsync(dial, run, isServiceEnded: true);
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task On_a_serving_side_that_sends_what_it_may_not_is_reset(string bytes, bool tls)
    {
        await using var pair = await LegPair.ConnectAsync(tls);
        await using var dialer = new AskingStream(pair.Near, new FakeTimeProvider(), NeverIdle);
        await SendAsync(pair.Far, bytes);
        await Assert.ThrowsAnyAsync<IOException>(() => dialer.ReadToEndAsync());
        await Assert.ThrowsAnyAsync<IOException>(() => pair.Far.ReadToEndAsync());
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task On_and_ended_a_serving_side_that_sends_anything_is_reset(string bytes, bool tls)
    {
        await using var pair = await LegPair.ConnectAsync(tls);
        await using var dialer = new AskingStream(pair.Near, new FakeTimeProvider(), NeverIdle);
        await pair.Far.WriteAsync(End);
        Assert.Empty(await dialer.ReadToEndAsync());
        await SendAsync(pair.Far, bytes);
        await Assert.ThrowsAnyAsync<IOException>(() => pair.Far.ReadToEndAsync());
        await Assert.ThrowsAnyAsync<Exception>(() => dialer.WriteAsync(new byte[1]).AsTask());
    }

    [Theory]
    [InlineData("done before the dialer's end", new byte[] { 1, 0, 0, 0, 5, 0, 0, 0 })]
    [InlineData("data after its end", new byte[] { 1, 0, 0, 0, 0, 0, 0, 1, 42 })]
    public async Task On_and_ended_a_serving_side_that_has_more_at_once_is_reset(string what, byte[] bytes)
    {
        Assert.NotEmpty(what);
        await using var pair = await LegPair.ConnectAsync(tls: true);
        await using var dialer = new AskingStream(pair.Near, new FakeTimeProvider(), NeverIdle);
        await pair.Far.WriteAsync(bytes);
        await Assert.ThrowsAnyAsync<IOException>(() => dialer.ReadToEndAsync());
        await Assert.ThrowsAnyAsync<IOException>(() => pair.Far.ReadToEndAsync());
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task Both_ended_a_serving_side_that_does_not_say_done_is_reset(string bytes, bool tls)
    {
        // Done is what it may say.
        if (bytes != "05000000")
        {
            await using var pair = await LegPair.ConnectAsync(tls);
            await using var dialer = new AskingStream(pair.Near, new FakeTimeProvider(), NeverIdle);
            await EndBothAsync(pair, dialer);
            await dialer.DisposeAsync();
            await SendAsync(pair.Far, bytes);
            await Assert.ThrowsAnyAsync<IOException>(() => pair.Far.ReadToEndAsync());
            await dialer.Finishing.WaitAsync(Patience.Long);
        }
    }

    [Theory, PlainAndTls]
    public async Task A_serving_side_that_has_more_behind_its_done_gets_no_other_dial(bool tls)
    {
        await using var pair = await LegPair.ConnectAsync(tls);
        await using var dialer = new AskingStream(pair.Near, new FakeTimeProvider(), NeverIdle);
        await EndBothAsync(pair, dialer);
        await pair.Far.WriteAsync((byte[])[.. Done, 42]);
        await dialer.DisposeAsync();
        await dialer.Finishing.WaitAsync(Patience.Long);
        Assert.True(pair.Near.HasEnded);
    }

    [Theory, PlainAndTls]
    public async Task A_frame_may_come_in_pieces_and_with_others(bool tls)
    {
        await using var pair = await LegPair.ConnectAsync(tls);
        var idle = new TaskCompletionSource();
        await using var dialer = new AskingStream(pair.Near, new FakeTimeProvider(), idle.SetResult);
        byte[] all = [0, 0, 0, 3, 1, 2, 3, .. Data, .. Data];
        foreach (var one in all)
        {
            await pair.Far.WriteAsync(new[] { one });
        }

        Assert.Equal([1, 2, 3, 42, 42], await dialer.ReadExactlyAsync(5));
        await dialer.CompleteWritesAsync();
        await pair.Far.WriteAsync((byte[])[.. Data, .. Data, .. End, .. Done]);
        Assert.Equal([42, 42], await dialer.ReadToEndAsync());
        await dialer.DisposeAsync();
        await idle.Task.WaitAsync(Patience.Long);
        Assert.Equal(End, await pair.Far.ReadExactlyAsync(4));
    }

    [Theory, PlainAndTls]
    public async Task Done_rides_with_the_last_end_or_follows_it(bool tls)
    {
        await using var run = await KeptRun.StartAsync(tls);
        var first = await run.DialAsync();
        await run.Near.WriteAsync(End);
        Assert.Empty(await first.Service.ReadToEndAsync());
        await first.Service.CompleteWritesAsync();
        Assert.Equal((byte[])[.. End, .. Done], await run.Near.ReadExactlyAsync(8));
        Assert.Equal(RelayEnd.Clean, (await first.Relay.WaitAsync(Patience.Long)).End);

        var second = await run.DialAsync();
        await second.Service.CompleteWritesAsync();
        Assert.Equal(End, await run.Near.ReadExactlyAsync(4));
        await run.Near.WriteAsync(End);
        Assert.Equal(Done, await run.Near.ReadExactlyAsync(4));
        Assert.Equal(RelayEnd.Clean, (await second.Relay.WaitAsync(Patience.Long)).End);
    }

    private static async Task EndBothAsync(LegPair pair, AskingStream dialer)
    {
        await pair.Far.WriteAsync(End);
        Assert.Empty(await dialer.ReadToEndAsync());
        await dialer.CompleteWritesAsync();
        Assert.Equal(End, await pair.Far.ReadExactlyAsync(4));
    }

    /// <summary>Bytes in hexadecimal digits; none: the end of the connection.</summary>
    private static async Task SendAsync(Leg leg, string bytes)
    {
        if (bytes.Length > 0)
        {
            await leg.WriteAsync(Convert.FromHexString(bytes));
        }
        else
        {
            await leg.CompleteWritesAsync();
        }
    }

    private static async Task AssertResetAsync(KeptDial dial, KeptRun run, bool isServiceEnded = false)
    {
        Assert.Equal(RelayEnd.AReset, (await dial.Relay.WaitAsync(Patience.Long)).End);
        Assert.False(dial.Serving.IsDone);
        await Assert.ThrowsAnyAsync<IOException>(() => run.Near.ReadToEndAsync());
        if (!isServiceEnded)
        {
            await Assert.ThrowsAnyAsync<IOException>(() => dial.Service.ReadToEndAsync());
        }
    }

    private static void NeverIdle() => Assert.Fail("the connection would have been used again");
}
