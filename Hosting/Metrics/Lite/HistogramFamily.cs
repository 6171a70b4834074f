using System.Text;

namespace Whip.Hosting.Metrics;

internal sealed class HistogramFamily : IMetricFamily, IHistogram
{
    private readonly SeriesTable<HistogramCells> _series;
    private readonly double[] _bounds;

    public HistogramFamily(MetricDefinition definition)
    {
        Definition = definition;
        _bounds = [.. definition.Buckets, double.PositiveInfinity];
        _series = new(definition, _ => new HistogramCells(_bounds.Length));
    }

    public MetricDefinition Definition { get; }

    public void Observe(double value, params ReadOnlySpan<string> labels)
    {
        var cells = _series.For(labels);
        var bucket = 0;
        while (bucket < _bounds.Length - 1 && !(value <= _bounds[bucket]))
        {
            bucket++;
        }

        cells.Sum.Add(value);
        Interlocked.Increment(ref cells.Counts[bucket]);
    }

    public void AppendTo(StringBuilder text)
    {
        foreach (var (labels, cells) in _series.All)
        {
            // The count is what the buckets add up to, so that the two agree in every scrape.
            var count = 0L;
            for (var i = 0; i < _bounds.Length; i++)
            {
                count += Volatile.Read(ref cells.Counts[i]);
                MetricText.AppendSample(text, Definition, "_bucket", labels, _bounds[i], count);
            }

            MetricText.AppendSample(text, Definition, "_sum", labels, null, cells.Sum.Value);
            MetricText.AppendSample(text, Definition, "_count", labels, null, count);
        }
    }

    private sealed class HistogramCells(int buckets)
    {
        public readonly long[] Counts = new long[buckets];
        public readonly NumberCell Sum = new();
    }
}
