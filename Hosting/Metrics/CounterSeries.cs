namespace Whip.Hosting.Metrics;

internal sealed class CounterSeries(MetricDefinition definition, Prometheus.Counter counter) : ICounter
{
    private readonly SeriesTable<Prometheus.Counter.Child> _series = new(definition, counter.WithLabels);

    public void Add(double value, params ReadOnlySpan<string> labels) => _series.For(labels).Inc(value);
}
