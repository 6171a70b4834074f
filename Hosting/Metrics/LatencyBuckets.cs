namespace Whip.Hosting.Metrics;

/// <summary>The original's buckets: from 1 ms to 1 s, three to each power of ten.</summary>
internal static class LatencyBuckets
{
    public static double[] Seconds => [.. Enumerable.Range(0, 10).Select(i => Math.Pow(10, -3 + (i / 3.0)))];
}
