using System.Text;

namespace Whip.Hosting.Metrics;

internal sealed class NumberFamily(MetricDefinition definition) : IMetricFamily, ICounter, IGauge
{
    private readonly SeriesTable<NumberCell> _series = new(definition, static _ => new NumberCell());

    public MetricDefinition Definition => definition;

    void ICounter.Add(double value, params ReadOnlySpan<string> labels)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        _series.For(labels).Add(value);
    }

    void IGauge.Add(double value, params ReadOnlySpan<string> labels) => _series.For(labels).Add(value);

    void IGauge.Set(double value, params ReadOnlySpan<string> labels) => _series.For(labels).Set(value);

    public void AppendTo(StringBuilder text)
    {
        foreach (var (labels, cell) in _series.All)
        {
            MetricText.AppendSample(text, definition, "", labels, null, cell.Value);
        }
    }
}
