namespace Whip.Hosting.Metrics;

/// <summary>A distribution over the definition's buckets. Label values stand in the order of the definition's labels.</summary>
internal interface IHistogram
{
    void Observe(double value, params ReadOnlySpan<string> labels);
}
