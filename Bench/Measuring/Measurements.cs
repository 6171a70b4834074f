using System.Globalization;
using System.Runtime.InteropServices;
using Whip.Harness.Programs;
using Whip.Hosting.Programs;

namespace Whip.Bench.Measuring;

/// <summary>The measuring commands. Each starts the programs afresh, so that no figure depends on what was measured before it.</summary>
internal sealed class Measurements(string programFolder, bool tls, TextWriter output, TextWriter notes)
{
    private static readonly TimeSpan ShortDials = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ShortRelays = TimeSpan.FromSeconds(3);

    private readonly FigureWriter _figures = new(output, notes, tls);

    public async Task DialsAsync(int[] concurrency, TimeSpan length, CancellationToken cancellationToken)
    {
        await NoteMachineAsync();
        await using var whip = await StartAsync(null, cancellationToken);
        await DialsMeasurement.WarmUpAsync(whip, cancellationToken);
        foreach (var dialers in concurrency)
        {
            await DialsMeasurement.RunAsync(whip, dialers, length, _figures, cancellationToken);
        }
    }

    public async Task RelaysAsync(int[] streams, TimeSpan length, CancellationToken cancellationToken)
    {
        await NoteMachineAsync();
        await using var whip = await StartAsync(null, cancellationToken);
        foreach (var count in streams)
        {
            await RelayMeasurement.RunAsync(whip, count, length, _figures, cancellationToken);
        }
    }

    public async Task MemoryAsync(int[] agents, int[] relays, CancellationToken cancellationToken)
    {
        await NoteMachineAsync();
        await using (var whip = await StartAsync(null, cancellationToken))
        {
            await MemoryMeasurement.ProcessesAsync(whip, _figures, cancellationToken);
        }

        await using (var whip = await StartAsync(MemoryMeasurement.Environment, cancellationToken))
        {
            await MemoryMeasurement.RelaysAsync(whip, relays[0], relays[1], _figures, cancellationToken);
        }

        await using (var whip = await StartAsync(MemoryMeasurement.Environment, cancellationToken))
        {
            await MemoryMeasurement.AgentsAsync(whip, agents[0], agents[1], _figures, cancellationToken);
        }
    }

    public async Task AllAsync(CancellationToken cancellationToken)
    {
        await DialsAsync([1, 32], ShortDials, cancellationToken);
        await RelaysAsync([1, 8], ShortRelays, cancellationToken);
        await MemoryAsync([100, 500], [100, 500], cancellationToken);
    }

    private Task<MeasuredWhip> StartAsync(IReadOnlyDictionary<string, string>? environment, CancellationToken cancellationToken) =>
        MeasuredWhip.StartAsync(new WhipProcesses(programFolder, environment), tls, cancellationToken);

    /// <summary>The generator, the service and the programs share this machine, with whatever else runs on it.</summary>
    private Task NoteMachineAsync()
    {
        var load = File.ReadAllText("/proc/loadavg").Split(' ')[0];
        return _figures.NoteAsync(
            string.Create(CultureInfo.InvariantCulture, $"{BuildInfo.Describe("whip")}, {(tls ? "mutual TLS" : "plain")}, {RuntimeInformation.FrameworkDescription}, ")
            + $"{Environment.ProcessorCount} cores shared with the load generator, load average {load}");
    }
}
