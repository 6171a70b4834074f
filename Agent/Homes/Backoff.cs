namespace Whip.Agent.Homes;

/// <summary>Full jitter: a uniform share of a ceiling that doubles with each failure, for ever.</summary>
internal static class Backoff
{
    private const double FirstCeilingSeconds = 0.25;
    private const double LastCeilingSeconds = 30;

    /// <summary>The wait after <paramref name="failures"/> failures in a row, at least one.</summary>
    public static TimeSpan Delay(int failures, Random random) => random.NextDouble() * Ceiling(failures);

    public static TimeSpan Ceiling(int failures) =>
        TimeSpan.FromSeconds(Math.Min(LastCeilingSeconds, FirstCeilingSeconds * Math.Pow(2, failures - 1)));
}
