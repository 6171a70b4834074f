using System.Collections.Concurrent;

namespace Whip.Hosting.Metrics;

/// <summary>Bounds the values of a label that others choose: the first ones keep their name for ever, the rest are <c>other</c> for ever.</summary>
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
