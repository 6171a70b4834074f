namespace Whip.Bench.Measuring;

/// <summary>Dials per second at a concurrency, the time of one, and what it costs the broker and the agent.</summary>
internal static class DialsMeasurement
{
    // By then the programs run optimised code; a slow machine gets no more time.
    private const int WarmUpDials = 6000;
    private const int WarmUpConcurrency = 16;

    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromSeconds(15);

    // For the pools to get the size that a concurrency needs.
    private static readonly TimeSpan RunUp = TimeSpan.FromSeconds(1);

    public static async Task WarmUpAsync(MeasuredWhip whip, MeasuredDialer dialer, CancellationToken cancellationToken)
    {
        await using var load = new DialLoad(whip.Dialing(dialer), Nonce.ExchangeAsync, WarmUpConcurrency);
        await Polling.UntilAsync(() => load.Answered >= WarmUpDials, LongestWarmUp, TimeSpan.FromMilliseconds(10), cancellationToken);
    }

    public static async Task RunAsync(
        MeasuredWhip whip, MeasuredDialer dialer, int concurrency, TimeSpan length, FigureWriter figures, CancellationToken cancellationToken)
    {
        var window = new Window((whip.Broker.Part, whip.Broker.Id), (whip.Agent.Part, whip.Agent.Id));
        var load = new DialLoad(whip.Dialing(dialer), Nonce.ExchangeAsync, concurrency);
        await using (load)
        {
            await Task.Delay(RunUp, cancellationToken);
            window.Open();
            await Task.Delay(length, cancellationToken);
            window.Close();
        }

        var failures = load.Failures(window);
        foreach (var (reason, count) in failures)
        {
            await figures.NoteAsync($"{count} dials failed: {reason}");
        }

        var latencies = load.Latencies(window);
        if (latencies.Length == 0)
        {
            throw new DialFailedException("no dial was answered");
        }

        (string, object)[] parameters =
        [
            ("concurrency", concurrency), ("dials", latencies.Length), ("failed", failures.Values.Sum()), ("dialer", $"{dialer}".ToLowerInvariant()),
            ("legs", whip.KeepsLegs ? "kept" : "fresh"),
        ];
        await figures.WriteAsync("dials", latencies.Length / window.Seconds, "1/s", window.Seconds, parameters);
        await figures.WriteAsync("dial-p50", latencies.Percentile(50).TotalMilliseconds, "ms", window.Seconds, parameters);
        await figures.WriteAsync("dial-p99", latencies.Percentile(99).TotalMilliseconds, "ms", window.Seconds, parameters);
        foreach (var (program, used) in window.Used())
        {
            await figures.WriteAsync("dial-cpu", used.TotalMicroseconds / latencies.Length, "µs/dial", window.Seconds, [.. parameters, ("program", program)]);
        }
    }
}
