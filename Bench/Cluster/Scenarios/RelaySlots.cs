using System.Collections.Concurrent;
using System.Diagnostics;
using Whip.Harness.Checking;
using Whip.Protocol.Dialing;

namespace Whip.Bench.Cluster.Scenarios;

/// <summary>So many relays at any time, a new one for each that ended, until disposed.</summary>
internal sealed class RelaySlots : IAsyncDisposable
{
    private readonly ConcurrentQueue<(EchoEnd End, long At)> _ended = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private int _failedDials;

    /// <param name="count">How many at a time.</param>
    /// <param name="next">Makes the next relay; called by one slot at a time.</param>
    /// <param name="dial">Opens its stream.</param>
    /// <param name="random">For where its content starts.</param>
    public RelaySlots(int count, Func<CheckedRelay> next, Func<CancellationToken, ValueTask<DialResult>> dial, Random random) =>
        _running = Task.WhenAll(Enumerable.Range(0, count).Select(_ => Task.Run(() => RunAsync(next, dial, random))));

    /// <summary>Dials that came to no stream.</summary>
    public int FailedDials => Volatile.Read(ref _failedDials);

    /// <summary>How relays ended, and when; those that still run are not among them.</summary>
    public IReadOnlyCollection<(EchoEnd End, long At)> Ended => _ended;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    private async Task RunAsync(Func<CheckedRelay> next, Func<CancellationToken, ValueTask<DialResult>> dial, Random random)
    {
        try
        {
            while (true)
            {
                CheckedRelay relay;
                long start;
                lock (random)
                {
                    (relay, start) = (next(), random.NextInt64(Pattern.Period));
                }

                var dialled = await dial(_stop.Token);
                if (!dialled.IsConnected)
                {
                    Interlocked.Increment(ref _failedDials);
                    await Task.Delay(100, _stop.Token);
                    continue;
                }

                var end = await relay.RunAsync(dialled.Stream, start, _stop.Token);
                _stop.Token.ThrowIfCancellationRequested();
                _ended.Enqueue((end, Stopwatch.GetTimestamp()));
            }
        }
        catch (OperationCanceledException)
        {
        }
    }
}
