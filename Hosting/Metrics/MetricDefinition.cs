namespace Whip.Hosting.Metrics;

/// <summary>One instrument of the table in <see cref="WhipMetrics"/>. Times are seconds. Only a histogram has buckets: upper bounds, rising.</summary>
internal sealed record MetricDefinition(MetricType Type, string Name, string Help, params IReadOnlyList<string> Labels)
{
    public IReadOnlyList<double> Buckets { get; init; } = [];
}
