using System.Collections.Concurrent;

namespace Whip.Hosting.Metrics;

/// <summary>Bounds the domains that become label values: the first ones keep their name for ever, the rest are <c>other</c> for ever.</summary>
internal sealed class DomainLabels(int max = 1000)
{
    public const string Other = "other";

    private readonly ConcurrentDictionary<string, string> _known = new(StringComparer.Ordinal);
    private readonly Lock _adding = new();
    private volatile bool _full;

    public string For(string domain) => _known.TryGetValue(domain, out var known) ? known : _full ? Other : Add(domain);

    private string Add(string domain)
    {
        lock (_adding)
        {
            _full = _known.Count >= max;
            return _full ? Other : _known.GetOrAdd(domain, domain);
        }
    }
}
