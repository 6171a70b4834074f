using System.Diagnostics;

namespace Whip.Bench.Measuring;

/// <summary>Dials per second at a concurrency, how long one takes, and what it costs the broker and the agent.</summary>
internal static class DialsMeasurement
{
    // By then the programs run optimised code; a slow machine is not waited for longer.
    private const int WarmUpDials = 6000;
    private const int WarmUpConcurrency = 16;

    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromSeconds(15);

    // For the pools to get the size that a concurrency needs.
    private static readonly TimeSpan RunUp = TimeSpan.FromSeconds(1);

    /// <summary>Once for freshly started programs.</summary>
    public static async Task WarmUpAsync(MeasuredWhip whip, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        await using var load = new DialLoad(whip.Dialer, WarmUpConcurrency);
        while (load.Answered < WarmUpDials && Stopwatch.GetElapsedTime(started) < LongestWarmUp)
        {
            await Task.Delay(10, cancellationToken);
        }
    }

    public static async Task RunAsync(MeasuredWhip whip, int concurrency, TimeSpan length, FigureWriter figures, CancellationToken cancellationToken)
    {
        Window window;
        var load = new DialLoad(whip.Dialer, concurrency);
        await using (load)
        {
            await Task.Delay(RunUp, cancellationToken);
            window = new Window(whip.Broker, whip.Agent);
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
            throw await whip.FailedAsync("no dial was answered");
        }

        await WriteAsync(figures, window, latencies, [("concurrency", concurrency), ("dials", latencies.Length), ("failed", failures.Values.Sum())]);
    }

    private static async Task WriteAsync(FigureWriter figures, Window window, TimeSpan[] latencies, (string, object)[] parameters)
    {
        await figures.WriteAsync("dials", latencies.Length / window.Seconds, "1/s", window.Seconds, parameters);
        await figures.WriteAsync("dial-p50", Percentile(latencies, 50).TotalMilliseconds, "ms", window.Seconds, parameters);
        await figures.WriteAsync("dial-p99", Percentile(latencies, 99).TotalMilliseconds, "ms", window.Seconds, parameters);
        foreach (var (program, used) in window.Used())
        {
            await figures.WriteAsync("dial-cpu", used.TotalMicroseconds / latencies.Length, "µs/dial", window.Seconds, [.. parameters, ("program", program)]);
        }
    }

    /// <summary>The smallest value that so many per cent of all do not exceed.</summary>
    private static TimeSpan Percentile(TimeSpan[] sorted, int percent) => sorted[((sorted.Length * percent) + 99) / 100 - 1];
}
