using System.Text;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Tests.Protocol.Legs;

public sealed class LegTests
{
    [Theory, PlainAndTls]
    public async Task Synchronous_code_can_read_and_write_a_leg(bool tls)
    {
        await using var pair = await LegPair.ConnectAsync(tls);
        var answering = Task.Run(() =>
        {
            using var reader = new StreamReader(pair.Far, leaveOpen: true);
            pair.Far.Write("you said "u8);
            pair.Far.Write(System.Text.Encoding.ASCII.GetBytes(reader.ReadLine()!));
        });
        pair.Near.Write("hello\n"u8);
        await answering.WaitAsync(Patience.Long);
        await pair.Far.CompleteWritesAsync();
        Assert.Equal("you said hello"u8.ToArray(), await Task.Run(() =>
        {
            using var all = new MemoryStream();
            pair.Near.CopyTo(all);
            return all.ToArray();
        }).WaitAsync(Patience.Long));
    }

    [Theory]
    [InlineData(BrokenTls.OtherMessage)]
    [InlineData(BrokenTls.CutHello)]
    public async Task What_is_no_TLS_fails_the_handshake_as_every_refusal_does(string bytes)
    {
        await using var pair = await LegPair.ConnectAsync(tls: false);
        await pair.Near.WriteAsync(Encoding.Latin1.GetBytes(bytes));
        await pair.Near.CompleteWritesAsync();
        var identity = TestCertificates.Shared.BrokerIdentity;
        await Assert.ThrowsAsync<LegHandshakeException>(
            () => pair.Far.AuthenticateAsServerAsync(identity, PeerRole.Client, default).WaitAsync(Patience.Long));
    }

    [Theory, PlainAndTls]
    public async Task Disposing_ends_the_stream_cleanly_and_aborting_resets_it(bool tls)
    {
        await using var disposed = await LegPair.ConnectAsync(tls);
        await disposed.Near.WriteAsync("last words"u8.ToArray());
        await disposed.Near.DisposeAsync();
        Assert.Equal("last words"u8.ToArray(), await disposed.Far.ReadToEndAsync());

        await using var aborted = await LegPair.ConnectAsync(tls);
        await aborted.Near.WriteAsync("last words"u8.ToArray());
        aborted.Near.Abort();
        await Assert.ThrowsAnyAsync<IOException>(() => aborted.Far.ReadToEndAsync());
    }

    [Fact]
    public async Task A_reset_that_a_write_was_told_of_is_no_clean_end_for_the_read()
    {
        await using var pair = await LegPair.ConnectAsync(tls: false);
        pair.Far.Abort();
        await Patience.UntilAsync(() => pair.Near.Progress is { IsClosed: true }, "the reset");
        await Assert.ThrowsAnyAsync<IOException>(() => pair.Near.WriteAsync(new byte[1]).AsTask());
        await Assert.ThrowsAnyAsync<IOException>(() => pair.Near.ReadToEndAsync());
    }

    [Fact]
    public async Task Every_callback_runs_once_when_threads_add_them_while_the_leg_ends()
    {
        const int Callbacks = 1000;
        for (var round = 0; round < 40; round++)
        {
            await using var pair = await LegPair.ConnectAsync(tls: false);
            var runs = new int[2 * Callbacks];
            var (ready, added) = (0, 0);
            Task Add(int first) => Task.Factory.StartNew(
                () =>
                {
                    Interlocked.Increment(ref ready);
                    SpinWait.SpinUntil(() => Volatile.Read(ref ready) == 2, Patience.Long);
                    for (var i = first; i < first + Callbacks; i++)
                    {
                        var at = i;
                        pair.Near.OnClosed(() => Interlocked.Increment(ref runs[at]));
                        Interlocked.Increment(ref added);
                    }
                },
                default,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
            var adding = Task.WhenAll(Add(0), Add(Callbacks));
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref added) >= Callbacks, Patience.Long));
            pair.Near.Abort();
            await adding.WaitAsync(Patience.Long);
            Assert.All(runs, times => Assert.Equal(1, times));
        }
    }

    [Fact]
    public async Task The_end_is_reported_once_however_often_a_leg_is_ended()
    {
        await using var pair = await LegPair.ConnectAsync(tls: false);
        var reports = 0;
        pair.Near.OnClosed(() => reports++);
        pair.Near.Abort();
        await pair.Near.DisposeAsync();
        await pair.Near.DisposeAsync();
        Assert.Equal(1, reports);
        pair.Near.OnClosed(() => reports++);
        Assert.Equal(2, reports);
    }

    [Theory, PlainAndTls]
    public async Task What_was_read_too_far_comes_first_again(bool tls)
    {
        await using var pair = await LegPair.ConnectAsync(tls);
        await pair.Far.WriteAsync("abcdef"u8.ToArray());
        await pair.Near.ReadExactlyAsync(3);
        pair.Near.Unread("bc"u8);
        pair.Near.Unread("a"u8);
        Assert.Equal("abcdef"u8.ToArray(), await pair.Near.ReadExactlyAsync(6));
    }

    [Theory, PlainAndTls]
    public async Task A_direction_ends_while_the_other_is_in_full_flow(bool tls)
    {
        const int Chunks = 5000;
        const int ChunkSize = 100;
        for (var round = 0; round < 40; round++)
        {
            await using var pair = await LegPair.ConnectAsync(tls);
            var writing = Task.Run(async () =>
            {
                for (var i = 0; i < Chunks; i++)
                {
                    await pair.Near.WriteAsync(new byte[ChunkSize]);
                }

                await pair.Near.CompleteWritesAsync();
            });
            var read = 0;
            var reading = Task.Run(async () =>
            {
                var buffer = new byte[16 * 1024];
                for (int last; (last = await pair.Far.ReadAsync(buffer)) > 0;)
                {
                    Volatile.Write(ref read, read + last);
                }
            });

            // Somewhere in the middle, elsewhere each time.
            var middle = (round + 1) * Chunks * ChunkSize / 50;
            while (Volatile.Read(ref read) < middle && !reading.IsCompleted)
            {
                await Task.Yield();
            }

            await pair.Far.CompleteWritesAsync().AsTask().WaitAsync(Patience.Long);
            await Task.WhenAll(reading, writing).WaitAsync(Patience.Long);
            Assert.Equal(Chunks * ChunkSize, read);
            Assert.Empty(await pair.Near.ReadToEndAsync());
        }
    }
}
