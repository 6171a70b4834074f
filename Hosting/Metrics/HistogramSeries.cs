namespace Whip.Hosting.Metrics;

internal sealed class HistogramSeries(MetricDefinition definition, Prometheus.Histogram histogram) : IHistogram
{
    private readonly SeriesTable<Prometheus.Histogram.Child> _series = new(definition, histogram.WithLabels);

    public void Observe(double value, params ReadOnlySpan<string> labels) => _series.For(labels).Observe(value);
}
