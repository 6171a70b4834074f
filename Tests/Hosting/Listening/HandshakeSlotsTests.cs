using Whip.Hosting;
using Whip.Hosting.Listening;

namespace Whip.Tests.Hosting.Listening;

public sealed class HandshakeSlotsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly UnauthenticatedGate _gate = new(1000, Descriptors.Many);

    [Fact]
    public async Task The_next_handshake_begins_when_one_has_ended()
    {
        var slots = new HandshakeSlots(1, HandshakeSlots.ListenerTurn, _time);
        var first = new TaskCompletionSource();
        var running = slots.RunAsync(Enter(), () => first.Task, default);
        var begun = new TaskCompletionSource();
        var waiting = slots.RunAsync(Enter(), () => Begin(begun), default);
        Assert.False(begun.Task.IsCompleted);

        first.SetResult();
        await running.WaitAsync(Patience.Long);
        await waiting.WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task A_peer_that_stalls_loses_its_turn_and_its_shield_but_not_its_handshake()
    {
        var slots = new HandshakeSlots(1, HandshakeSlots.ListenerTurn, _time);
        var evicted = false;
        var gate = new UnauthenticatedGate(1, Descriptors.Many);
        var stalled = new TaskCompletionSource();
        var slow = slots.RunAsync(gate.Enter(() => evicted = true), () => stalled.Task, default);
        var waiting = slots.RunAsync(Enter(), () => Task.CompletedTask, default);
        _time.Advance(TimeSpan.FromMilliseconds(250));
        await waiting.WaitAsync(Patience.Long);

        await Patience.UntilAsync(
            () =>
            {
                gate.Enter(() => { }).Leave();
                return evicted;
            },
            "the eviction of the one that stalls");
        stalled.SetResult();
        await slow.WaitAsync(Patience.Long);
    }

    [Theory]
    [InlineData(256, 4)]
    [InlineData(512, 32)]
    public async Task With_few_descriptors_few_handshakes_run_at_a_time(int openFiles, int most)
    {
        var slots = HandshakeSlots.OfListener(new WhipLimits(), new DescriptorBudget(openFiles, () => 0, _time), _time);
        var (begun, last) = (0, new TaskCompletionSource());
        var handshakes = Enumerable.Range(0, most + 1).Select(_ => slots.RunAsync(Enter(), () =>
        {
            begun++;
            return last.Task;
        }, default)).ToList();
        Assert.Equal(most, begun);
        last.SetResult();
        await Task.WhenAll(handshakes).WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task Who_waits_for_a_turn_too_long_is_cancelled()
    {
        var slots = new HandshakeSlots(1, HandshakeSlots.ListenerTurn, _time);
        var first = new TaskCompletionSource();
        var running = slots.RunAsync(Enter(), () => first.Task, default);
        using var deadline = new CancellationTokenSource();
        var waiting = slots.RunAsync(Enter(), () => Task.CompletedTask, deadline.Token);
        await deadline.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Patience.Long));
        first.SetResult();
        await running.WaitAsync(Patience.Long);
    }

    private static Task Begin(TaskCompletionSource begun)
    {
        begun.SetResult();
        return Task.CompletedTask;
    }

    private UnauthenticatedGate.Entry Enter() => _gate.Enter(() => { });
}
