using System.Collections.Concurrent;
using Whip.Protocol;
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

    /// <param name="dialAsync">A dial.</param>
    /// <param name="exchangeAsync">A question through it, and its checked answer.</param>
    /// <param name="concurrency">The number of dialers.</param>
    public DialLoad(Func<Deadline, Task<WhipStream>> dialAsync, Func<Stream, CancellationToken, Task> exchangeAsync, int concurrency) =>
        _dialling = new BackgroundWork(stop => Task.WhenAll(
            Enumerable.Range(0, concurrency).Select(_ => Task.Run(() => DialAsync(dialAsync, exchangeAsync, stop)))));

    public int Answered => _answered.Count;

    public string? FirstFailure => _failed.TryPeek(out var failed) ? failed.Reason : null;

    public ValueTask DisposeAsync() => _dialling.DisposeAsync();

    /// <summary>From the first packet to the checked answer, of every dial that was answered in the window; sorted.</summary>
    public TimeSpan[] Latencies(Window window) => [.. _answered.Where(a => window.Contains(a.Ended)).Select(a => a.Latency).Order()];

    public IReadOnlyDictionary<string, int> Failures(Window window) =>
        _failed.Where(f => window.Contains(f.Ended)).CountBy(f => f.Reason).ToDictionary();

    /// <exception cref="DialFailedException">The dial or the exchange failed, or both took longer than <paramref name="limit"/>.</exception>
    public static async Task<WhipStream> AskAsync(
        Func<Deadline, Task<WhipStream>> dialAsync, Func<Stream, CancellationToken, Task> exchangeAsync, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(limit, TimeProvider.System, cancellationToken);
        var stream = await dialAsync(deadline);
        try
        {
            await exchangeAsync(stream, deadline.Token);
            return stream;
        }
        catch (Exception error)
        {
            stream.Abort();
            throw DialFailedException.From(error, "no answer through the dial", deadline);
        }
    }

    private async Task DialAsync(Func<Deadline, Task<WhipStream>> dialAsync, Func<Stream, CancellationToken, Task> exchangeAsync, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var started = Stopwatch.GetTimestamp();
            try
            {
                var stream = await AskAsync(dialAsync, exchangeAsync, DialTimeout, CancellationToken.None);
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
