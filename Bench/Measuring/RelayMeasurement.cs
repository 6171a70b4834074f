using Whip.Harness.Checking;

namespace Whip.Bench.Measuring;

/// <summary>Bytes per second over so many streams, each way, and what they cost the broker and the agent.</summary>
internal static class RelayMeasurement
{
    private const double Gib = 1024 * 1024 * 1024;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1.5);

    // For what is under way when the window closes.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task RunAsync(MeasuredWhip whip, int streams, TimeSpan length, FigureWriter figures, CancellationToken cancellationToken)
    {
        var down = new RelayLoad(whip);
        await RunAsync(whip, "down", streams, length, down.DownloadAsync, () => down.Downloaded, figures, cancellationToken);
        var up = new RelayLoad(whip);
        await RunAsync(whip, "up", streams, length, up.UploadAsync, () => whip.Service.Uploaded, figures, cancellationToken);
    }

    private static async Task RunAsync(
        MeasuredWhip whip,
        string direction,
        int streams,
        TimeSpan length,
        Func<CancellationToken, CancellationToken, Task> carry,
        Func<long> count,
        FigureWriter figures,
        CancellationToken cancellationToken)
    {
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        cancelled.CancelAfter(WarmUp + length + Patience);
        using var stop = new CancellationTokenSource();
        var running = Task.WhenAll(Enumerable.Range(0, streams).Select(_ => carry(stop.Token, cancelled.Token)));
        await Task.WhenAny(running, Task.Delay(WarmUp, cancelled.Token));
        var window = new Window(whip.Broker, whip.Agent);
        var bytes = -count();
        await Task.WhenAny(running, Task.Delay(length, cancelled.Token));
        window.Close();
        bytes += count();
        await stop.CancelAsync();
        try
        {
            await running;
        }
        catch (DialFailedException failure)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw await whip.FailedAsync($"{streams} streams {direction}: {failure.Message}");
        }

        if (bytes == 0)
        {
            throw await whip.FailedAsync($"{streams} streams {direction}: no byte arrived");
        }

        (string, object)[] parameters = [("streams", streams), ("direction", direction), ("bytes", bytes)];
        await figures.WriteAsync("relay", bytes / window.Seconds, "B/s", window.Seconds, parameters);
        foreach (var (program, used) in window.Used())
        {
            await figures.WriteAsync("relay-cpu", used.TotalSeconds / (bytes / Gib), "s/GiB", window.Seconds, [.. parameters, ("program", program)]);
        }
    }
}
