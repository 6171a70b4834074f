using System.Collections.Concurrent;

namespace Whip.Hosting.Metrics;

/// <summary>Limits the number of values of a label that peers choose. The first ones keep their names, and the rest become <c>other</c>.</summary>
internal sealed class LabelValues(int max)
{
    public const int MaxDomains = 1000;
    public const string Other = "other";

    private readonly ConcurrentDictionary<string, string> _known = new(StringComparer.Ordinal);
    private readonly Lock _adding = new();
    private volatile bool _full;

    public string For(string value) => _known.TryGetValue(value, out var known) ? known : _full ? Other : Add(value);

    private string Add(string value)
    {
        lock (_adding)
        {
            _full = _known.Count >= max;
            return _full ? Other : _known.GetOrAdd(value, value);
        }
    }
}
