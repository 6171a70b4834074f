namespace Whip.Bench.Cluster;

/// <summary>Everything was measured, and something is not as it must be.</summary>
internal sealed class GoalMissedException(IReadOnlyList<string> missed) : Exception($"{missed.Count} goals were missed")
{
    /// <summary>One line each.</summary>
    public IReadOnlyList<string> Missed { get; } = missed;
}
