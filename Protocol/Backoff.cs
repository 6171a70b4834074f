namespace Whip.Protocol;

/// <summary>How long to wait before a retry: full jitter, a uniform share of a ceiling that doubles with each failure in a row.</summary>
internal sealed class Backoff(TimeSpan first, TimeSpan last)
{
    /// <summary>The wait after <paramref name="failures"/> failures in a row, at least one.</summary>
    public TimeSpan Delay(int failures, Random random) => random.NextDouble() * Ceiling(failures);

    public TimeSpan Ceiling(int failures) => TimeSpan.FromSeconds(Math.Min(last.TotalSeconds, first.TotalSeconds * Math.Pow(2, failures - 1)));
}
