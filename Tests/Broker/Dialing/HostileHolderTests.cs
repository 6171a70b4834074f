using Whip.Protocol.Kept;
using Whip.Protocol.Legs;
using Whip.Tests.Client;
using Whip.Tests.Protocol.Kept;

namespace Whip.Tests.Broker.Dialing;

/// <summary>The state table of a kept connection, played to an ingress by a holder that keeps to no rule: nothing of it reaches a dialer but a reset.</summary>
public sealed class HostileHolderTests
{
    private static readonly byte[] Data = [0, 0, 0, 1, 42];

    [Theory]
    [MemberData(nameof(StateTableTests.Forbidden), MemberType = typeof(StateTableTests))]
    public async Task On_a_holder_that_sends_what_it_may_not_resets_the_dial(string bytes, bool tls)
    {
        await using var run = new HolderRun(tls);
        await using var dialer = await LegPair.ConnectAsync(tls);
        var (_, relay) = await ForwardAsync(run, dialer, [.. Data, .. Convert.FromHexString(bytes)], isLast: bytes.Length == 0);
        var before = await ReadUntilResetAsync(dialer.Near);
        Assert.True(before is [] or [42]);
        Assert.Equal(RelayEnd.BReset, (await relay.WaitAsync(Patience.Long)).End);
        Assert.Equal(0, run.Connections.Kept);
    }

    [Theory]
    [MemberData(nameof(StateTableTests.Forbidden), MemberType = typeof(StateTableTests))]
    public async Task On_and_ended_a_holder_that_sends_anything_resets_the_dial(string bytes, bool tls)
    {
        await using var run = new HolderRun(tls);
        await using var dialer = await LegPair.ConnectAsync(tls);
        var (_, relay) = await ForwardAsync(run, dialer, [.. KeptFront.End, .. Convert.FromHexString(bytes)], isLast: bytes.Length == 0);
        Assert.Equal(RelayEnd.BReset, (await relay.WaitAsync(Patience.Long)).End);
        Assert.Equal(0, run.Connections.Kept);
    }

    [Theory]
    [InlineData("0000000177", 0)]
    [InlineData("01000000", 0)]
    [InlineData("02000000", 0)]
    [InlineData("03000000", 0)]
    [InlineData("0400000177", 0)]
    [InlineData("0600000005000000", 0)]
    [InlineData("050000000000000177", 0)]
    [InlineData("0500000005000000", 0)]
    [InlineData("", 0)]
    [InlineData("05000000", 1)]
    public async Task Both_ended_only_done_and_nothing_behind_it_leaves_the_connection_to_the_next_dial(string bytes, int kept)
    {
        foreach (var tls in new[] { false, true })
        {
            await using var run = new HolderRun(tls);
            await using var dialer = await LegPair.ConnectAsync(tls);
            byte[] all = [.. KeptFront.End, .. Convert.FromHexString(bytes)];
            var (stream, relay) = await ForwardAsync(run, dialer, all, isLast: bytes.Length == 0, afterEnd: true);
            await dialer.Near.CompleteWritesAsync();
            Assert.Empty(await dialer.Near.ReadToEndAsync());
            Assert.Equal(RelayEnd.Clean, (await relay.WaitAsync(Patience.Long)).End);
            await stream.Finishing.WaitAsync(Patience.Long);
            await run.UntilIdleAsync(kept);
        }
    }

    [Theory]
    [InlineData(false, "0000000177")]
    [InlineData(true, "0000000177")]
    [InlineData(false, "02000000")]
    [InlineData(true, "485454502F312E312032303020780D0A0D0A")]
    [InlineData(false, "")]
    [InlineData(true, "")]
    public async Task Idle_a_holder_that_says_anything_is_let_go_of(bool tls, string bytes)
    {
        await using var run = new HolderRun(tls);
        var speaking = new TaskCompletionSource();
        var connections = 0;
        var holder = run.Add(async connection =>
        {
            await connection.ServeAsync();
            if (Interlocked.Increment(ref connections) == 1)
            {
                await speaking.Task;
                await (bytes.Length > 0 ? connection.Stream.WriteAsync(Convert.FromHexString(bytes)).AsTask() : connection.EndAsync());
            }

            await connection.WaitForEndAsync();
        });
        await run.ExchangeAsync(holder);
        speaking.SetResult();
        await run.UntilIdleAsync(0);
        await run.ExchangeAsync(holder);
        Assert.Equal(2, run.Accepted(holder));
    }

    /// <summary>A dial of the dialer's far end that is relayed to a holder.</summary>
    /// <param name="run">The ingress.</param>
    /// <param name="dialer">Its far end is the ingress'.</param>
    /// <param name="said">What the holder says after its 200.</param>
    /// <param name="isLast">Then it ends the connection.</param>
    /// <param name="afterEnd">It says so when the dialer has ended.</param>
    private static async Task<(AskingStream Stream, Task<RelayResult> Relay)> ForwardAsync(
        HolderRun run, LegPair dialer, byte[] said, bool isLast, bool afterEnd = false)
    {
        var holder = run.Add(async connection =>
        {
            await connection.WriteAsync(KeptFront.Established(KeptFront.Word(await connection.ReadHeadAsync())));
            if (afterEnd)
            {
                var end = new byte[4];
                await connection.Stream.ReadExactlyAsync(end);
                Assert.Equal(KeptFront.End, end);
            }

            await connection.Stream.WriteAsync(said);
            if (isLast)
            {
                await connection.EndAsync();
            }

            await connection.WaitForEndAsync();
        });
        var stream = Assert.IsType<AskingStream>(await run.DialAsync(holder));
        var time = new FakeTimeProvider();
        var context = new RelayContext(new RelayBuffers(time), time, TimeSpan.FromHours(1));
        return (stream, Relay.RunAsync(dialer.Far, stream, context, CancellationToken.None));
    }

    private static async Task<byte[]> ReadUntilResetAsync(Leg leg)
    {
        using var all = new MemoryStream();
        await Assert.ThrowsAnyAsync<IOException>(() => leg.CopyToAsync(all).WaitAsync(Patience.Long));
        return all.ToArray();
    }
}
