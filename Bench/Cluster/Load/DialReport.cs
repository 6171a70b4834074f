using System.Diagnostics;

namespace Whip.Bench.Cluster.Load;

/// <summary>One dial of <see cref="OpenLoopDials"/>. Times are those of the Stopwatch.</summary>
/// <param name="Name">What was dialled.</param>
/// <param name="Due">When it should have begun, whatever the generator was busy with.</param>
/// <param name="Connected">When there was a stream; null when there was none.</param>
/// <param name="Ended">When the service had answered, or the dial had failed.</param>
/// <param name="Failure">Outcome and reason; null for an answer that was right.</param>
internal sealed record DialRecord(string Name, long Due, long? Connected, long Ended, string? Failure);

/// <summary>What became of all dials.</summary>
internal sealed class DialReport
{
    private readonly TimeSpan[] _latencies;

    /// <param name="dials">All of them.</param>
    /// <param name="crashes">When brokers were killed or frozen.</param>
    public DialReport(IReadOnlyList<DialRecord> dials, IReadOnlyList<long> crashes)
    {
        Count = dials.Count;
        Cut = dials.Where(d => IsCut(d, crashes)).ToArray();
        Failed = dials.Where(d => d.Failure is not null && !IsCut(d, crashes)).ToArray();
        _latencies = [.. dials.Where(d => d.Failure is null).Select(d => Stopwatch.GetElapsedTime(d.Due, d.Ended)).Order()];
    }

    public int Count { get; }

    public IReadOnlyList<DialRecord> Failed { get; }

    /// <summary>Streams that stood when a broker died, and died with it before the service's answer was through: no dial can prevent that.</summary>
    public IReadOnlyList<DialRecord> Cut { get; }

    /// <summary>From when a dial was due to the checked answer.</summary>
    public TimeSpan Slowest => Percentile(100);

    /// <summary>What so many per cent of the answered dials do not exceed.</summary>
    public TimeSpan Percentile(int percent) => _latencies.Length == 0 ? TimeSpan.Zero : _latencies[((_latencies.Length * percent) + 99) / 100 - 1];

    private static bool IsCut(DialRecord dial, IReadOnlyList<long> crashes) =>
        dial is { Failure: not null, Connected: { } connected } && crashes.Any(crash => connected <= crash + (Stopwatch.Frequency / 10) && dial.Ended >= crash);
}
