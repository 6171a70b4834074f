using System.Collections.Concurrent;

namespace Whip.Registry.Holders;

/// <summary>What the other brokers have answered about one name so far. <c>askedAt</c> is on the monotonic clock.</summary>
internal sealed class NameReports(long askedAt)
{
    private readonly ConcurrentDictionary<string, NameReport> _byBroker = new();
    private readonly ConcurrentDictionary<string, bool> _answered = new();
    private readonly TaskCompletionSource _found = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public long AskedAt => askedAt;

    /// <summary>By broker id.</summary>
    public IReadOnlyDictionary<string, NameReport> ByBroker => _byBroker;

    /// <summary>The brokers that have answered since they were asked.</summary>
    public IReadOnlyCollection<string> Answered => (IReadOnlyCollection<string>)_answered.Keys;

    /// <summary>Completes when a holder of the instance is known, which serves the port.</summary>
    public Task Found => _found.Task;

    /// <summary>Completes when every broker that was asked and is not suspect has answered, or its time limit has passed.</summary>
    public Task All { get; set; } = Task.CompletedTask;

    /// <summary>Every broker has answered that could hold the name.</summary>
    public bool IsWhole { get; set; }

    /// <summary>Only the brokers that the grains named were asked.</summary>
    public bool AreNamed { get; set; }

    /// <summary>Whether some broker knows the name at all.</summary>
    public bool HasFindings => _byBroker.Any(report => report.Value.IsInstance || report.Value.IsDomain);

    /// <summary>Whether some broker holds the instance, which serves the port.</summary>
    public bool HasHolder => _byBroker.Any(report => report.Value.Serves);

    public void Add(string brokerId, NameReport report)
    {
        _byBroker[brokerId] = report;
        _answered[brokerId] = true;
        if (report.Serves)
        {
            _found.TrySetResult();
        }
    }

    /// <summary>Keeps an older report of a broker that does not answer now.</summary>
    public void Keep(string brokerId, NameReport report) => _byBroker.TryAdd(brokerId, report);

    public void Remove(string brokerId) => _byBroker.TryRemove(brokerId, out _);
}
