namespace Whip.Hosting.Metrics;

internal sealed class GaugeSeries(MetricDefinition definition, Prometheus.Gauge gauge) : IGauge
{
    private readonly SeriesTable<Prometheus.Gauge.Child> _series = new(definition, gauge.WithLabels);

    public void Add(double value, params ReadOnlySpan<string> labels) => _series.For(labels).Inc(value);

    public void Set(double value, params ReadOnlySpan<string> labels) => _series.For(labels).Set(value);
}
