using System.Collections.Concurrent;
using Whip.Protocol.Legs;

namespace Whip.Bench.Measuring;

/// <summary>A number of dialers, each of which dials again as soon as its last dial was answered and closed.</summary>
internal sealed class DialLoad : IAsyncDisposable
{
    private static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(5);

    // A broker that refuses at once is dialled again, but not as fast as it can refuse.
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(10);

    private readonly ConcurrentQueue<(long Ended, TimeSpan Latency)> _answered = [];
    private readonly ConcurrentQueue<(long Ended, string Reason)> _failed = [];
    private readonly BackgroundWork _dialling;

    /// <param name="askAsync">A dial and its checked answer, within the limit.</param>
    /// <param name="concurrency">The number of dialers.</param>
    public DialLoad(Func<TimeSpan, Task<WhipStream>> askAsync, int concurrency) =>
        _dialling = new BackgroundWork(stop => Task.WhenAll(Enumerable.Range(0, concurrency).Select(_ => Task.Run(() => DialAsync(askAsync, stop)))));

    public int Answered => _answered.Count;

    public ValueTask DisposeAsync() => _dialling.DisposeAsync();

    /// <summary>From the first packet to the checked answer, of every dial that was answered in the window; sorted.</summary>
    public TimeSpan[] Latencies(Window window) => [.. _answered.Where(a => window.Contains(a.Ended)).Select(a => a.Latency).Order()];

    public IReadOnlyDictionary<string, int> Failures(Window window) =>
        _failed.Where(f => window.Contains(f.Ended)).CountBy(f => f.Reason).ToDictionary();

    private async Task DialAsync(Func<TimeSpan, Task<WhipStream>> askAsync, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var started = Stopwatch.GetTimestamp();
            try
            {
                var stream = await askAsync(DialTimeout);
                _answered.Enqueue((Stopwatch.GetTimestamp(), Stopwatch.GetElapsedTime(started)));
                await stream.DisposeAsync();
            }
            catch (DialFailedException failure)
            {
                _failed.Enqueue((Stopwatch.GetTimestamp(), failure.Message));
                await Task.Delay(PauseAfterFailure, CancellationToken.None);
            }
        }
    }
}
