using System.Collections.Concurrent;
using Whip.Protocol;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;

namespace Whip.Bench.Load;

/// <summary>
/// Dials at a fixed rate, however the previous dials fare, and checks each by a nonce that the service answers. A dial's time counts from when it
/// was due.
/// </summary>
internal sealed class OpenLoopDials : IAsyncDisposable
{
    // Twice what fits into the timeout at 100 a second.
    private const int MaxUnderWay = 1000;

    private static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(5);

    private readonly IWhipDialer _dialer;
    private readonly int _port;
    private readonly ConcurrentQueue<DialRecord> _ended = [];
    private readonly ConcurrentQueue<long> _crashes = [];
    private readonly TaskTracker _underWay = new(e => Environment.FailFast("a dial of the load generator failed unexpectedly", e));
    private readonly BackgroundWork _generator;

    public OpenLoopDials(IWhipDialer dialer, int perSecond, Func<string> pickName, int port)
    {
        (_dialer, _port) = (dialer, port);
        _generator = new BackgroundWork(stop => RunAsync(perSecond, pickName, stop));
    }

    public void MarkCrash() => _crashes.Enqueue(Stopwatch.GetTimestamp());

    /// <summary>Drops the results so far, which are those of programs that were not warm.</summary>
    public void Forget() => _ended.Clear();

    public async Task<DialReport> StopAsync()
    {
        await _generator.StopAsync();
        await _underWay.WhenEmpty();
        return new DialReport([.. _ended], [.. _crashes]);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _generator.DisposeAsync();
    }

    private async Task RunAsync(int perSecond, Func<string> pickName, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        for (var i = 0L; ; i++)
        {
            var due = started + (i * Stopwatch.Frequency / perSecond);
            if (Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due) is { Ticks: > 0 } early)
            {
                await Task.Delay(early, cancellationToken);
            }

            cancellationToken.ThrowIfCancellationRequested();
            var name = pickName();
            if (_underWay.Count < MaxUnderWay)
            {
                _underWay.Run(() => DialAsync(name, due));
            }
            else
            {
                _ended.Enqueue(new DialRecord(name, due, null, Stopwatch.GetTimestamp(), $"{MaxUnderWay} dials are under way"));
            }
        }
    }

    private async Task DialAsync(string name, long due)
    {
        var result = await _dialer.TryDialAsync(new DialRequest(name, _port) { Deadline = DialTimeout });
        var answered = Stopwatch.GetTimestamp();
        var failure = result.IsConnected ? await AskAsync(result.Stream) : $"{result.Outcome}: {result.Reason}";
        _ended.Enqueue(new DialRecord(name, due, result.IsConnected ? answered : null, Stopwatch.GetTimestamp(), failure));
    }

    private static async Task<string?> AskAsync(WhipStream stream)
    {
        using var deadline = new CancellationTokenSource(DialTimeout);
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
