using System.Collections.Concurrent;
using System.Diagnostics;
using Whip.Harness.Checking;

namespace Whip.Bench.Measuring;

/// <summary>So many dialers, each dialling again as soon as its last dial was answered and closed.</summary>
internal sealed class DialLoad : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    // A broker that refuses at once is asked again, but not as fast as it can refuse.
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(10);

    private readonly ConcurrentQueue<(long Ended, TimeSpan Latency)> _answered = [];
    private readonly ConcurrentQueue<(long Ended, string Reason)> _failed = [];

    private readonly CancellationTokenSource _stop = new();
    private readonly RawDialer _dialer;
    private readonly Task _dialling;

    public DialLoad(RawDialer dialer, int concurrency)
    {
        _dialer = dialer;
        _dialling = Task.WhenAll(Enumerable.Range(0, concurrency).Select(_ => Task.Run(DialAsync)));
    }

    public int Answered => _answered.Count;

    /// <summary>The dials under way are finished first.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _dialling;
        _stop.Dispose();
    }

    /// <summary>From the first packet to the checked answer, of every dial that was answered in the window; sorted.</summary>
    public TimeSpan[] Latencies(Window window) => [.. _answered.Where(a => IsIn(window, a.Ended)).Select(a => a.Latency).Order()];

    /// <summary>How many failed in the window, by reason.</summary>
    public IReadOnlyDictionary<string, int> Failures(Window window) =>
        _failed.Where(f => IsIn(window, f.Ended)).GroupBy(f => f.Reason).ToDictionary(g => g.Key, g => g.Count());

    private static bool IsIn(Window window, long ended) => ended >= window.Opened && ended <= window.Closed;

    private async Task DialAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            using var deadline = new CancellationTokenSource(Deadline);
            var started = Stopwatch.GetTimestamp();
            try
            {
                var leg = await _dialer.AskAsync(deadline.Token);
                _answered.Enqueue((Stopwatch.GetTimestamp(), Stopwatch.GetElapsedTime(started)));
                await leg.DisposeAsync();
            }
            catch (DialFailedException failure)
            {
                _failed.Enqueue((Stopwatch.GetTimestamp(), failure.Message));
                await Task.Delay(PauseAfterFailure, CancellationToken.None);
            }
        }
    }
}
