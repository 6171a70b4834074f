using Whip.Protocol;

namespace Whip.Bench.Measuring;

/// <summary>Bytes per second over a number of streams, each way, and what they cost the broker and the agent.</summary>
internal static class RelayMeasurement
{
    public const double Gib = 1024 * 1024 * 1024;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1.5);

    // For what is under way when the window closes.
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(30);

    public static async Task RunAsync(MeasuredWhip whip, int streams, TimeSpan length, FigureWriter figures, CancellationToken cancellationToken)
    {
        foreach (var isUp in new[] { false, true })
        {
            var load = new RelayLoad(whip.Dialing(MeasuredDialer.Bare));
            var sent = -whip.Service.Downloaded;
            var window = new Window((whip.Broker.Part, whip.Broker.Id), (whip.Agent.Part, whip.Agent.Id));
            var bytes = await CarryAsync(load, isUp, streams, WarmUp, length, window, cancellationToken);
            sent += whip.Service.Downloaded;
            if (!isUp && load.Carried != sent)
            {
                throw new DialFailedException($"{load.Carried} of {sent} bytes arrived");
            }

            (string, object)[] parameters = [("streams", streams), ("direction", isUp ? "up" : "down"), ("bytes", bytes)];
            await figures.WriteAsync("relay", bytes / window.Seconds, "B/s", window.Seconds, parameters);
            foreach (var (program, used) in window.Used())
            {
                await figures.WriteAsync("relay-cpu", used.TotalSeconds / (bytes / Gib), "s/GiB", window.Seconds, [.. parameters, ("program", program)]);
            }
        }
    }

    /// <summary>Loads streams in one direction, and opens and closes the window meanwhile.</summary>
    /// <returns>The bytes within the window.</returns>
    public static async Task<long> CarryAsync(
        RelayLoad load, bool isUp, int streams, TimeSpan runUp, TimeSpan length, Window window, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(runUp + length + EndTimeout, TimeProvider.System, cancellationToken);
        using var stop = new CancellationTokenSource();
        var running = Task.WhenAll(
            Enumerable.Range(0, streams).Select(_ => isUp ? load.UploadAsync(deadline, stop.Token) : load.DownloadAsync(deadline, stop.Token)));
        await Task.WhenAny(running, Task.Delay(runUp, deadline.Token));
        window.Open();
        var before = load.Carried;
        await Task.WhenAny(running, Task.Delay(length, deadline.Token));
        window.Close();
        var bytes = load.Carried - before;
        await stop.CancelAsync();
        await running;
        return bytes > 0 ? bytes : throw new DialFailedException($"no byte went over {streams} streams {(isUp ? "up" : "down")}");
    }
}
