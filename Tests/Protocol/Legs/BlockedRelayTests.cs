using Whip.Protocol.Legs;

namespace Whip.Tests.Protocol.Legs;

/// <summary>What relays keep for readers that have stopped.</summary>
public sealed class BlockedRelayTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();
    private readonly CancellationTokenSource _cut = new();

    public void Dispose() => _cut.Dispose();

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
                () => (buffers.Held > 0 && (tlsTo || buffers.Outstanding == 0)) || sending.IsCompleted, "a look at a blocked write", step: Second);
            Assert.InRange(buffers.Held, 0, tlsTo && !tlsFrom ? 64 * 1024 : 256 * 1024);
            Assert.Equal(bytes.AsMemory(received, next).ToArray(), await to.Far.ReadExactlyAsync(next));
            received += next;
        }

        await sending.WaitAsync(Patience.Long);
        await from.Near.CompleteWritesAsync();
        Assert.Empty(await to.Far.ReadToEndAsync());
        await to.Far.CompleteWritesAsync();
        Assert.Equal(RelayEnd.Clean, (await relay.WaitAsync(Patience.Long)).End);
        Assert.Equal(0, buffers.Outstanding);
    }

    [Fact]
    public async Task Past_the_budget_the_relays_that_are_blocked_longest_are_reset()
    {
        const int Relays = 60;
        const int Budget = 2_000_000;
        var reset = 0;
        var buffers = new RelayBuffers(_time, Budget, count => reset += count);
        var pairs = new List<LegPair>();
        var relays = new List<Task<RelayResult>>();
        for (var i = 0; i < Relays; i++)
        {
            var (from, to) = (await LegPair.ConnectAsync(tls: false), await LegPair.ConnectAsync(tls: false, small: true));
            pairs.AddRange([from, to]);
            relays.Add(Relay.RunAsync(from.Far, to.Near, Context(buffers), _cut.Token));
            _ = SendAsync(from.Near, new byte[8_000_000]);
        }

        await _time.AdvanceUntilAsync(() => reset > 0, "a reset", step: Second);
        await _time.AdvanceUntilAsync(() => buffers.Held <= Budget && relays.Count(r => r.IsCompleted) == reset, "the rest", step: Second);
        Assert.InRange(reset, 1, Relays - 1);
        Assert.All(relays.Where(r => r.IsCompleted), r => Assert.Equal(RelayEnd.Blocked, r.Result.End));
        await _cut.CancelAsync();
        await Task.WhenAll(relays).WaitAsync(Patience.Long);
        Assert.Equal(0, buffers.Outstanding);
        foreach (var pair in pairs)
        {
            await pair.DisposeAsync();
        }
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

    private RelayContext Context(RelayBuffers buffers) => new(buffers, _time, TimeSpan.FromHours(1));
}
