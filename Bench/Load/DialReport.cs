namespace Whip.Bench.Load;

/// <summary>One dial of <see cref="OpenLoopDials"/>, with timestamps of <see cref="Stopwatch"/>.</summary>
/// <param name="Name">What was dialled.</param>
/// <param name="Due">When it should have begun, however busy the generator was.</param>
/// <param name="Connected">When there was a stream; null if there was none.</param>
/// <param name="Ended">When the service had answered, or the dial had failed.</param>
/// <param name="Failure">Outcome and reason; null if the answer was right.</param>
internal sealed record DialRecord(string Name, long Due, long? Connected, long Ended, string? Failure);

/// <summary>The results of all dials.</summary>
internal sealed class DialReport
{
    public DialReport(IReadOnlyList<DialRecord> dials, IReadOnlyList<long> crashes)
    {
        Count = dials.Count;
        Cut = dials.Where(d => IsCut(d, crashes)).ToArray();
        Failed = dials.Where(d => d.Failure is not null && !IsCut(d, crashes)).ToArray();
        Latencies = [.. dials.Where(d => d.Failure is null).Select(d => Stopwatch.GetElapsedTime(d.Due, d.Ended)).Order()];
    }

    public int Count { get; }

    public IReadOnlyList<DialRecord> Failed { get; }

    /// <summary>Streams that stood when a broker died, and died with it before the service's answer arrived: no dial can prevent that.</summary>
    public IReadOnlyList<DialRecord> Cut { get; }

    /// <summary>Of the answered dials, sorted: the time from when a dial was due to the checked answer.</summary>
    public IReadOnlyList<TimeSpan> Latencies { get; }

    private static bool IsCut(DialRecord dial, IReadOnlyList<long> crashes) =>
        dial is { Failure: not null, Connected: { } connected }
        && crashes.Any(crash => connected <= crash + (Stopwatch.Frequency / 10) && dial.Ended >= crash);
}
