namespace Whip.Bench.Load;

internal static class Percentiles
{
    /// <summary>The smallest of the sorted values that <paramref name="percent"/> per cent of them do not exceed; zero if there are none.</summary>
    public static TimeSpan Percentile(this IReadOnlyList<TimeSpan> sorted, int percent) =>
        sorted.Count == 0 ? TimeSpan.Zero : sorted[(((sorted.Count * percent) + 99) / 100) - 1];
}
