namespace Whip.Bench.Cluster.Load;

/// <summary>One dial of <see cref="OpenLoopDials"/>. Times are those of the Stopwatch.</summary>
/// <param name="Name">What was dialled.</param>
/// <param name="Due">When it should have begun, whatever the generator was busy with.</param>
/// <param name="Connected">When there was a stream; null when there was none.</param>
/// <param name="Ended">When the service had answered, or the dial had failed.</param>
/// <param name="Failure">Outcome and reason; null for an answer that was right.</param>
internal sealed record DialRecord(string Name, long Due, long? Connected, long Ended, string? Failure);
