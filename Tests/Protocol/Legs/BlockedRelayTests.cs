using Whip.Protocol.Legs;

namespace Whip.Tests.Protocol.Legs;

/// <summary>What relays keep for readers that have stopped.</summary>
public sealed class BlockedRelayTests : IAsyncLifetime
{
    private const int Kib = 1024;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();
    private readonly CancellationTokenSource _cut = new();
    private readonly List<LegPair> _pairs = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var pair in _pairs)
        {
            await pair.DisposeAsync();
        }

        _cut.Dispose();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task A_write_that_is_blocked_for_a_second_keeps_no_more_than_what_remains_of_it(bool tlsFrom, bool tlsTo)
    {
        var buffers = new RelayBuffers(_time);
        await using var from = await LegPair.ConnectAsync(tlsFrom);
        await using var to = await LegPair.ConnectAsync(tlsTo, small: true);
        var relay = Relay.RunAsync(from.Far, to.Near, Context(buffers), _cut.Token);
        var bytes = new byte[10_000_000];
        new Random(1).NextBytes(bytes);
        var sending = SendAsync(from.Near, bytes);
        for (var received = 0; received < bytes.Length;)
        {
            // Stops in the middle of the transfer several times.
            var next = Math.Min(3_000_000, bytes.Length - received);
            await _time.AdvanceUntilAsync(
                () => (buffers.Held > 0 && (buffers.Outstanding == 0 || buffers.Rented <= 32 * Kib)) || sending.IsCompleted,
                "a look at a blocked write", step: Second);
            Assert.InRange(buffers.Held, 0, tlsTo || tlsFrom ? (128 + 32) * Kib : 256 * Kib);
            Assert.Equal(bytes.AsMemory(received, next).ToArray(), await to.Far.ReadExactlyAsync(next));
            received += next;
        }

        await sending.WaitAsync(Patience.Long);
        await from.Near.CompleteWritesAsync();
        Assert.Empty(await to.Far.ReadToEndAsync());
        await to.Far.CompleteWritesAsync();
        Assert.Equal(RelayEnd.Clean, (await relay.WaitAsync(Patience.Long)).End);
        AssertNothingRented(buffers);
    }

    [Theory]
    [InlineData(false, true, 128)]
    [InlineData(true, true, 128 + 32)]
    [InlineData(true, false, 128 + 32)]
    [InlineData(false, false, 256)]
    public async Task What_is_kept_beneath_a_write_that_is_blocked_counts(bool tlsFrom, bool tlsTo, int atMostKib)
    {
        var buffers = new RelayBuffers(_time);
        var relay = await BlockAsync(buffers, tlsFrom, tlsTo);
        await _time.AdvanceUntilAsync(() => buffers.Held > 0, "a look at a blocked write", step: Second);
        Assert.InRange(buffers.Held, 1, atMostKib * Kib);
        Assert.InRange(buffers.Rented, 1, buffers.Held);
        await CutAsync(buffers, [relay]);
    }

    [Fact]
    public async Task Readers_that_stop_at_once_take_little_more_than_an_eighth_of_the_budget()
    {
        const int Relays = 40;
        const int Budget = 8_000_000;
        var buffers = new RelayBuffers(_time, Budget);
        var relays = await BlockAsync(buffers, Relays, tlsTo: false);

        // No time passes, so nothing looks at them.
        await Patience.UntilAsync(() => buffers.Outstanding == Relays, "every relay to be blocked");
        Assert.InRange(buffers.Rented, 1, (Budget / 8) + (Relays * 16 * Kib));
        await CutAsync(buffers, relays);
    }

    [Fact]
    public async Task Past_the_budget_the_relays_that_are_blocked_longest_are_reset()
    {
        const int Relays = 60;
        const int Budget = 200_000;
        var reset = 0;
        var buffers = new RelayBuffers(_time, Budget, count => reset += count);
        var relays = await BlockAsync(buffers, Relays, tlsTo: true);
        await _time.AdvanceUntilAsync(() => reset > 0, "a reset", step: Second);
        await _time.AdvanceUntilAsync(() => buffers.Held <= Budget && relays.Count(r => r.IsCompleted) == reset, "the rest", step: Second);
        Assert.InRange(reset, 1, Relays - 1);
        Assert.All(relays.Where(r => r.IsCompleted), r => Assert.Equal(RelayEnd.Blocked, r.Result.End));
        await CutAsync(buffers, relays);
    }

    private static async Task SendAsync(Leg leg, byte[] bytes)
    {
        try
        {
            await leg.WriteAsync(bytes);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The reset.
        }
    }

    private static void AssertNothingRented(RelayBuffers buffers) => Assert.Equal((0, 0L), (buffers.Outstanding, buffers.Rented));

    private async Task<Task<RelayResult>[]> BlockAsync(RelayBuffers buffers, int count, bool tlsTo)
    {
        var relays = new Task<RelayResult>[count];
        for (var i = 0; i < count; i++)
        {
            relays[i] = await BlockAsync(buffers, tlsFrom: false, tlsTo);
        }

        return relays;
    }

    /// <summary>A relay whose reader takes nothing.</summary>
    private async Task<Task<RelayResult>> BlockAsync(RelayBuffers buffers, bool tlsFrom, bool tlsTo)
    {
        var from = await LegPair.ConnectAsync(tlsFrom);
        _pairs.Add(from);
        var to = await LegPair.ConnectAsync(tlsTo, small: true);
        _pairs.Add(to);
        _ = SendAsync(from.Near, new byte[8_000_000]);
        return Relay.RunAsync(from.Far, to.Near, Context(buffers), _cut.Token);
    }

    private async Task CutAsync(RelayBuffers buffers, Task<RelayResult>[] relays)
    {
        await _cut.CancelAsync();
        await Task.WhenAll(relays).WaitAsync(Patience.Long);
        AssertNothingRented(buffers);
    }

    private RelayContext Context(RelayBuffers buffers) => new(buffers, _time, TimeSpan.FromHours(1));
}
