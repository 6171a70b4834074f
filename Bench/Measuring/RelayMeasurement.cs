using Whip.Protocol;

namespace Whip.Bench.Measuring;

/// <summary>Bytes per second over a number of streams, each way, and what they cost the broker and the agent.</summary>
internal static class RelayMeasurement
{
    private const double Gib = 1024 * 1024 * 1024;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1.5);

    // For what is under way when the window closes.
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(30);

    public static async Task RunAsync(MeasuredWhip whip, int streams, TimeSpan length, FigureWriter figures, CancellationToken cancellationToken)
    {
        var down = new RelayLoad(whip.Dialer);
        var sent = -whip.Service.Downloaded;
        await RunAsync(whip, ("down", down.DownloadAsync, () => down.Downloaded), streams, length, figures, cancellationToken);
        sent += whip.Service.Downloaded;
        if (down.Downloaded != sent)
        {
            throw new DialFailedException($"{down.Downloaded} of {sent} bytes arrived");
        }

        var up = new RelayLoad(whip.Dialer);
        await RunAsync(whip, ("up", up.UploadAsync, () => whip.Service.Uploaded), streams, length, figures, cancellationToken);
    }

    private static async Task RunAsync(
        MeasuredWhip whip,
        (string Direction, Func<Deadline, CancellationToken, Task> CarryAsync, Func<long> CountBytes) load,
        int streams,
        TimeSpan length,
        FigureWriter figures,
        CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(WarmUp + length + EndTimeout, TimeProvider.System, cancellationToken);
        using var stop = new CancellationTokenSource();
        var running = Task.WhenAll(Enumerable.Range(0, streams).Select(_ => load.CarryAsync(deadline, stop.Token)));
        await Task.WhenAny(running, Task.Delay(WarmUp, deadline.Token));
        var window = new Window(whip.Broker, whip.Agent);
        var before = load.CountBytes();
        await Task.WhenAny(running, Task.Delay(length, deadline.Token));
        window.Close();
        var bytes = load.CountBytes() - before;
        await stop.CancelAsync();
        await running;
        if (bytes == 0)
        {
            throw new DialFailedException($"no byte arrived over {streams} streams {load.Direction}");
        }

        (string, object)[] parameters = [("streams", streams), ("direction", load.Direction), ("bytes", bytes)];
        await figures.WriteAsync("relay", bytes / window.Seconds, "B/s", window.Seconds, parameters);
        foreach (var (program, used) in window.Used())
        {
            await figures.WriteAsync("relay-cpu", used.TotalSeconds / (bytes / Gib), "s/GiB", window.Seconds, [.. parameters, ("program", program)]);
        }
    }
}
