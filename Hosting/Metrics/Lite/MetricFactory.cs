using System.Collections.Concurrent;
using System.Text;

namespace Whip.Hosting.Metrics;

/// <inheritdoc cref="IMetricFactory"/>
internal sealed class MetricFactory : IMetricFactory
{
    private readonly ConcurrentDictionary<string, IMetricFamily> _families = new(StringComparer.Ordinal);

    public ICounter Counter(MetricDefinition definition) => Family(definition, MetricType.Counter, static d => new NumberFamily(d));

    public IGauge Gauge(MetricDefinition definition) => Family(definition, MetricType.Gauge, static d => new NumberFamily(d));

    public IHistogram Histogram(MetricDefinition definition) => Family(definition, MetricType.Histogram, static d => new HistogramFamily(d));

    public async Task WriteAsync(Stream output, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        foreach (var family in _families.Values.OrderBy(f => f.Definition.Name, StringComparer.Ordinal))
        {
            text.Clear();
            MetricText.AppendHeader(text, family.Definition);
            family.AppendTo(text);
            await output.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), cancellationToken);
        }
    }

    private TFamily Family<TFamily>(MetricDefinition definition, MetricType type, Func<MetricDefinition, TFamily> create)
        where TFamily : class, IMetricFamily
    {
        var family = _families.GetOrAdd(definition.Name, (_, d) => create(d), definition);
        return definition.Type == type && family.Definition == definition
            ? (TFamily)family
            : throw new ArgumentException($"{definition.Name} is not a {type}, or is defined twice.", nameof(definition));
    }
}
