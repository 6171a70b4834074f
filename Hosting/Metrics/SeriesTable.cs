using System.Collections.Concurrent;
using Whip.Protocol.Names;

namespace Whip.Hosting.Metrics;

/// <summary>The series of one instrument by their label values; a known combination is found without locks or allocation.</summary>
internal sealed class SeriesTable<TSeries>
    where TSeries : class
{
    public const int MaxSeries = 10_000;

    private readonly ConcurrentDictionary<string[], TSeries> _series = new(LabelValuesComparer.Instance);
    private readonly ConcurrentDictionary<string[], TSeries>.AlternateLookup<ReadOnlySpan<string>> _lookup;
    private readonly Lock _adding = new();
    private readonly MetricDefinition _definition;
    private readonly Func<string[], TSeries> _create;
    private volatile TSeries? _overflow;

    public SeriesTable(MetricDefinition definition, Func<string[], TSeries> create)
    {
        _definition = definition;
        _create = create;
        _lookup = _series.GetAlternateLookup<ReadOnlySpan<string>>();
        if (definition.Labels.Count == 0)
        {
            // A value without labels stands in the scrape from the start.
            _series[[]] = create([]);
        }
    }

    public IEnumerable<KeyValuePair<string[], TSeries>> All => _series;

    public TSeries For(ReadOnlySpan<string> labels) => _lookup.TryGetValue(labels, out var series) ? series : _overflow ?? Add(labels);

    private TSeries Add(ReadOnlySpan<string> labels)
    {
        if (labels.Length != _definition.Labels.Count)
        {
            throw new ArgumentException($"{_definition.Name} has the labels {string.Join(", ", _definition.Labels)}.", nameof(labels));
        }

        var values = new string[labels.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Printable.Clean(labels[i]);
        }

        lock (_adding)
        {
            if (_series.Count < MaxSeries || _series.ContainsKey(values))
            {
                return _series.GetOrAdd(values, _create);
            }

            Array.Fill(values, DomainLabels.Other);
            return _overflow ??= _series.GetOrAdd(values, _create);
        }
    }
}
