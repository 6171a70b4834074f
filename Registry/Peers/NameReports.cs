using System.Collections.Concurrent;

namespace Whip.Registry.Peers;

/// <summary>What the peers have answered about one name; those that are slow answer later.</summary>
/// <param name="askedAt">On the monotonic clock.</param>
internal sealed class NameReports(long askedAt)
{
    private readonly ConcurrentDictionary<string, NameReport> _byBroker = new();
    private readonly TaskCompletionSource _enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public long AskedAt => askedAt;

    /// <summary>By broker id.</summary>
    public IReadOnlyDictionary<string, NameReport> ByBroker => _byBroker;

    /// <summary>Completes when a dial can go on: a holder of the instance is known, or every trusted peer has answered or missed its time.</summary>
    public Task Enough => _enough.Task;

    /// <summary>Completes when every trusted peer has answered or missed its time.</summary>
    public Task All => _all.Task;

    /// <summary>A trusted peer has missed its time: that nobody holds the name is not known.</summary>
    public bool IsPartial { get; set; }

    /// <summary>Whether some broker knows the name at all.</summary>
    public bool HasFindings => _byBroker.Any(report => report.Value.IsInstance || report.Value.IsDomain);

    /// <summary>Whether some broker holds the instance and its port.</summary>
    public bool HasHolder => _byBroker.Any(report => report.Value.Publishes);

    public void Add(string brokerId, NameReport report)
    {
        _byBroker[brokerId] = report;
        if (report.Publishes)
        {
            _enough.TrySetResult();
        }
    }

    /// <summary>What a peer said before, that cannot be asked now.</summary>
    public void Keep(string brokerId, NameReport report) => _byBroker.TryAdd(brokerId, report);

    public void Remove(string brokerId) => _byBroker.TryRemove(brokerId, out _);

    public void AllAnswered()
    {
        _all.TrySetResult();
        _enough.TrySetResult();
    }
}
