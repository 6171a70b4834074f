using System.Runtime.InteropServices;
using Whip.Hosting.Programs;

namespace Whip.Bench.Measuring;

/// <summary>The measuring commands. Each starts the programs anew, so that no figure depends on what was measured before it.</summary>
internal sealed class Measurements(string programFolder, bool tls, TextWriter output, TextWriter notes)
{
    private readonly FigureWriter _figures = new(output, notes, tls);

    public Task DialsAsync(
        MeasuredDialer dialer, bool keepLegs, int[] concurrency, TimeSpan length, CancellationToken cancellationToken) => MeasureAsync(
        async whip =>
        {
            await DialsMeasurement.WarmUpAsync(whip, dialer, cancellationToken);
            foreach (var dialers in concurrency)
            {
                await DialsMeasurement.RunAsync(whip, dialer, dialers, length, _figures, cancellationToken);
            }
        },
        cancellationToken,
        keepLegs: keepLegs);

    public Task RelaysAsync(int[] streams, TimeSpan length, CancellationToken cancellationToken) => MeasureAsync(
        async whip =>
        {
            foreach (var count in streams)
            {
                await RelayMeasurement.RunAsync(whip, count, length, _figures, cancellationToken);
            }
        },
        cancellationToken);

    public async Task MemoryAsync(int[] agents, int[] relays, CancellationToken cancellationToken)
    {
        var environment = MemoryMeasurement.Environment;
        await MeasureAsync(whip => MemoryMeasurement.ProcessesAsync(whip, _figures, cancellationToken), cancellationToken);
        await MeasureAsync(whip => MemoryMeasurement.RelaysAsync(whip, relays[0], relays[1], _figures, cancellationToken), cancellationToken, environment);
        await MeasureAsync(whip => MemoryMeasurement.AgentsAsync(whip, agents[0], agents[1], _figures, cancellationToken), cancellationToken, environment);
    }

    public async Task AllAsync(CancellationToken cancellationToken)
    {
        await DialsAsync(MeasuredDialer.Bare, keepLegs: true, [1, 32], TimeSpan.FromSeconds(5), cancellationToken);
        await RelaysAsync([1, 8], TimeSpan.FromSeconds(3), cancellationToken);
        await MemoryAsync([100, 500], [100, 500], cancellationToken);
    }

    private async Task MeasureAsync(
        Func<MeasuredWhip, Task> measure, CancellationToken cancellationToken, IReadOnlyDictionary<string, string>? environment = null,
        bool keepLegs = true)
    {
        // The generator, the service and the programs share this machine with all else that runs on it.
        var machine = $"{RuntimeInformation.FrameworkDescription}, {Environment.ProcessorCount} cores shared with the load generator";
        await _figures.NoteAsync($"{BuildInfo.Describe("whip")}, {(tls ? "mutual TLS" : "plain")}, {machine}, load average {FigureWriter.LoadAverage}");
        await using var whip = new MeasuredWhip(new WhipProcesses(programFolder, environment)) { KeepsLegs = keepLegs };
        try
        {
            await whip.StartAsync(tls, cancellationToken);
            await measure(whip);
        }
        catch (DialFailedException failure)
        {
            throw await whip.FailedAsync(failure.Message);
        }
    }
}
