using Whip.Bench.Measuring;

namespace Whip.Bench.Beside;

/// <summary>The one generator: what it does to a subject does not depend on which it is.</summary>
/// <param name="service">The process behind all of them.</param>
internal sealed class Loads(WhipProcess service)
{
    private const int FewIdle = 200;

    private const int WarmUpDials = 32;
    private const int WarmUpStreams = 8;

    // A program that has just started compiles; judged is what it is like afterwards. haproxy has been compiled.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan PeerWarmUp = TimeSpan.FromSeconds(1);

    // For pools to get the size that a load needs.
    private static readonly TimeSpan RunUp = TimeSpan.FromSeconds(1);

    /// <exception cref="DialFailedException">A dial failed, or another byte came back.</exception>
    public async Task WarmUpAsync(Subject subject, IEnumerable<Workload> workloads, CancellationToken cancellationToken)
    {
        var length = subject.IsWhip ? WarmUp : PeerWarmUp;
        await DialsAsync(subject, WarmUpDials, length, cancellationToken);
        foreach (var kind in workloads.Select(workload => workload.Kind).Intersect([Kind.Down, Kind.Up]))
        {
            await CarryAsync(subject, new Workload(kind, WarmUpStreams), length / 2, cancellationToken);
        }
    }

    /// <exception cref="DialFailedException">A dial or a stream failed, or other bytes came.</exception>
    public Task<Sample> RunAsync(Subject subject, Workload workload, TimeSpan length, CancellationToken cancellationToken) => workload.Kind switch
    {
        Kind.Dials => DialsAsync(subject, workload.Streams, length, cancellationToken),
        Kind.Idle => IdleAsync(subject, workload.Streams, cancellationToken),
        _ => CarryAsync(subject, workload, length, cancellationToken),
    };

    private async Task<Sample> DialsAsync(Subject subject, int concurrency, TimeSpan length, CancellationToken cancellationToken)
    {
        var window = NewWindow(subject);
        var before = await subject.CountAsync(cancellationToken);
        var opened = (Dials: 0, Counts: before);
        var load = new DialLoad(subject.DialAsync, Subject.ExchangeAsync, concurrency);
        await using (load)
        {
            await Task.Delay(RunUp, cancellationToken);
            if (subject.IsKept)
            {
                // What its first dials cost, the others do not.
                opened = (load.Answered, await subject.CountAsync(cancellationToken));
            }

            window.Open();
            await Task.Delay(length, cancellationToken);
            window.Close();
        }

        var counted = await subject.CountAsync(cancellationToken) - opened.Counts;
        var latencies = load.Latencies(window);
        if (load.FirstFailure is { } failure || latencies.Length == 0)
        {
            throw new DialFailedException($"{subject.Name}: {load.FirstFailure ?? "no dial was answered"}");
        }

        return new Sample(
            latencies.Length / window.Seconds,
            latencies.Percentile(50).TotalMilliseconds,
            window.Used().ToDictionary(used => used.Program, used => used.ProcessorTime.TotalMicroseconds / latencies.Length))
        {
            Connections = [.. counted.Connections.Select(connections => connections / (double)(load.Answered - opened.Dials))],
            Resumed = [.. counted.Resumed.Zip(counted.Connections, static (resumed, of) => resumed / (double)Math.Max(of, 1))],
        };
    }

    private async Task<Sample> CarryAsync(Subject subject, Workload workload, TimeSpan length, CancellationToken cancellationToken)
    {
        var window = NewWindow(subject);
        var load = new RelayLoad(subject.DialAsync);
        var bytes = await RelayMeasurement.CarryAsync(load, workload.Kind == Kind.Up, workload.Streams, RunUp, length, window, cancellationToken);
        var costs = window.Used().ToDictionary(used => used.Program, used => used.ProcessorTime.TotalSeconds / (bytes / RelayMeasurement.Gib));
        return new Sample(bytes / window.Seconds, 0, costs);
    }

    private static async Task<Sample> IdleAsync(Subject subject, int streams, CancellationToken cancellationToken)
    {
        var slope = await MemoryMeasurement.RelaySlopeAsync(
            subject.DialAsync, Subject.ExchangeAsync, subject.Processes, FewIdle, streams, cancellationToken);
        return new Sample(0, 0, slope.Kib.ToDictionary(program => program.Program, program => program.Kib));
    }

    private Window NewWindow(Subject subject) => new([("generator", Environment.ProcessId), .. subject.Processes, (service.Part, service.Id)]);
}
