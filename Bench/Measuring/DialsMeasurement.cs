using System.Diagnostics;

namespace Whip.Bench.Measuring;

/// <summary>Dials per second at a concurrency, how long one takes, and what it costs the broker and the agent.</summary>
internal static class DialsMeasurement
{
    // By then the programs run optimised code and the pools have their size; a slow machine is not waited for longer.
    private const int WarmUpDials = 1000;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromSeconds(10);

    public static async Task RunAsync(MeasuredWhip whip, int concurrency, TimeSpan length, FigureWriter figures, CancellationToken cancellationToken)
    {
        var load = new DialLoad(whip.Dialer);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = load.RunAsync(concurrency, stop.Token);
        Window window;
        try
        {
            await WarmUpAsync(load, cancellationToken);
            window = new Window(whip.Broker, whip.Agent);
            await Task.Delay(length, cancellationToken);
            window.Close();
        }
        finally
        {
            await stop.CancelAsync();
            await running;
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

    private static async Task WarmUpAsync(DialLoad load, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        do
        {
            await Task.Delay(WarmUp / 10, cancellationToken);
        }
        while (Stopwatch.GetElapsedTime(started) is var passed && (passed < WarmUp || (load.Answered < WarmUpDials && passed < LongestWarmUp)));
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
