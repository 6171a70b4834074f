using System.Collections.Concurrent;
using Prometheus;

namespace Whip.Hosting.Metrics;

/// <inheritdoc cref="IMetricFactory"/>
internal sealed class MetricFactory : IMetricFactory
{
    private readonly CollectorRegistry _registry = Prometheus.Metrics.NewCustomRegistry();
    private readonly ConcurrentDictionary<string, (MetricDefinition Definition, object Instrument)> _instruments = new(StringComparer.Ordinal);
    private readonly Prometheus.MetricFactory _factory;

    public MetricFactory()
    {
        _factory = Prometheus.Metrics.WithCustomRegistry(_registry);

        // The text format has no place for them.
        _factory.ExemplarBehavior = ExemplarBehavior.NoExemplars();
    }

    public ICounter Counter(MetricDefinition definition) => Instrument(definition, MetricType.Counter, static (definition, factory) =>
        new CounterSeries(definition, factory.CreateCounter(definition.Name, Help(definition), [.. definition.Labels])));

    public IGauge Gauge(MetricDefinition definition) => Instrument(definition, MetricType.Gauge, static (definition, factory) =>
        new GaugeSeries(definition, factory.CreateGauge(definition.Name, Help(definition), [.. definition.Labels])));

    public IHistogram Histogram(MetricDefinition definition) => Instrument(definition, MetricType.Histogram, static (definition, factory) =>
        new HistogramSeries(definition, factory.CreateHistogram(
            definition.Name, Help(definition), [.. definition.Labels], new HistogramConfiguration { Buckets = [.. definition.Buckets] })));

    public Task WriteAsync(Stream output, CancellationToken cancellationToken) => _registry.CollectAndExportAsTextAsync(output, cancellationToken);

    /// <summary>prometheus-net escapes label values, and the help not.</summary>
    private static string Help(MetricDefinition definition) => definition.Help.Replace("\\", "\\\\").Replace("\n", "\\n");

    private TInstrument Instrument<TInstrument>(
        MetricDefinition definition, MetricType type, Func<MetricDefinition, Prometheus.MetricFactory, TInstrument> create)
        where TInstrument : class
    {
        if (definition.Type == type)
        {
            var (known, instrument) = _instruments.GetOrAdd(
                definition.Name, static (_, made) => (made.definition, made.create(made.definition, made._factory)), (definition, create, _factory));
            if (known == definition)
            {
                return (TInstrument)instrument;
            }
        }

        throw new ArgumentException($"{definition.Name} is not a {type}, or is defined twice.", nameof(definition));
    }
}
