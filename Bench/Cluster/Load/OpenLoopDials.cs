using System.Collections.Concurrent;
using System.Diagnostics;
using Whip.Harness.Checking;
using Whip.Hosting.Listening;
using Whip.Protocol.Dialing;

namespace Whip.Bench.Cluster.Load;

/// <summary>
/// Dials at a fixed rate, however the last ones fare, each to a name of <paramref name="pickName"/> and checked by a nonce that the
/// service there answers. A dial's time counts from when it was due.
/// </summary>
internal sealed class OpenLoopDials(IWhipDialer dialer, int perSecond, Func<string> pickName, int port) : IAsyncDisposable
{
    // Twice what fits into the deadline at 100 a second.
    private const int MaxUnderWay = 1000;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    private readonly ConcurrentQueue<DialRecord> _ended = [];
    private readonly ConcurrentQueue<long> _crashes = [];
    private readonly TaskTracker _underWay = new(e => Environment.FailFast("a dial of the load generator broke", e));
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>A broker has just been killed or frozen, with the streams it carried.</summary>
    public void MarkCrash() => _crashes.Enqueue(Stopwatch.GetTimestamp());

    /// <summary>Everything until now is forgotten: the programs were still cold.</summary>
    public void Forget() => _ended.Clear();

    /// <summary>The dials under way are finished first.</summary>
    public async Task<DialReport> StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
        await _underWay.WhenEmpty();
        return new DialReport([.. _ended], [.. _crashes]);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            var started = Stopwatch.GetTimestamp();
            for (var i = 0L; ; i++)
            {
                var due = started + (i * Stopwatch.Frequency / perSecond);
                if (Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due) is { Ticks: > 0 } early)
                {
                    await Task.Delay(early, _stop.Token);
                }

                _stop.Token.ThrowIfCancellationRequested();
                Begin(pickName(), due);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private void Begin(string name, long due)
    {
        if (_underWay.Count < MaxUnderWay)
        {
            _underWay.Run(() => DialAsync(name, due));
        }
        else
        {
            _ended.Enqueue(new DialRecord(name, due, null, Stopwatch.GetTimestamp(), $"{MaxUnderWay} dials are under way"));
        }
    }

    private async Task DialAsync(string name, long due)
    {
        var result = await dialer.TryDialAsync(new DialRequest(name, port) { Deadline = Deadline });
        var answered = Stopwatch.GetTimestamp();
        var failure = result.IsConnected ? await AskAsync(result.Stream) : $"{result.Outcome}: {result.Reason}";
        _ended.Enqueue(new DialRecord(name, due, result.IsConnected ? answered : null, Stopwatch.GetTimestamp(), failure));
    }

    private static async Task<string?> AskAsync(Whip.Protocol.Legs.WhipStream stream)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            await Nonce.ExchangeAsync(stream, deadline.Token);
            await stream.DisposeAsync();
            return null;
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or DialFailedException)
        {
            stream.Abort();
            return $"no answer: {error.Message}";
        }
    }
}
