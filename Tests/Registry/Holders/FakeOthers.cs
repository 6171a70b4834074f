using System.Collections.Concurrent;
using Whip.Registry.Holders;
using Whip.Registry.Routes;

namespace Whip.Tests.Registry.Holders;

/// <summary>Other brokers without silos: their tables, asked directly. The test says who is suspect, who answers, and what the grains know.</summary>
internal sealed class FakeOthers : IOtherBrokers
{
    private readonly ConcurrentDictionary<string, LocalRoutes> _tables = new();
    private readonly ConcurrentDictionary<string, OtherBroker> _others = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _held = new();
    private readonly ConcurrentQueue<string> _words = new();
    private TaskCompletionSource _silo = new();
    private int _questions;

    public FakeOthers() => _silo.SetResult();

    public IReadOnlyList<OtherBroker> All => [.. _others.Values.OrderBy(other => other.Id)];

    /// <summary>Questions to brokers so far.</summary>
    public int Questions => Volatile.Read(ref _questions);

    /// <summary>The names that word was left for, one for each time.</summary>
    public IReadOnlyList<string> Words => [.. _words];

    /// <summary>What the grains name; null: they do not answer.</summary>
    public KnownHolders? Named { get; set; }

    /// <summary>Null: as long as the test says nothing.</summary>
    public Task<KnownHolders?>? Naming { get; set; }

    /// <summary>A silo has died a moment ago whose broker may live.</summary>
    public bool IsUnsettled { get; set; }

    /// <summary>The brokers that are silent at every question.</summary>
    public IReadOnlyCollection<string> Silent { get; set; } = [];

    public LocalRoutes Add(string id)
    {
        _others[id] = new OtherBroker(id, IsSuspect: false);
        return _tables[id] = new LocalRoutes(maxWatchesPerName: 100);
    }

    public void Suspect(string id) => _others[id] = _others[id] with { IsSuspect = true };

    public void Trust(string id) => _others[id] = _others[id] with { IsSuspect = false };

    /// <summary>From now on this broker answers nothing until <see cref="Release"/>.</summary>
    public void Hold(string id) => _held[id] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release(string id)
    {
        if (_held.TryRemove(id, out var held))
        {
            held.SetResult();
        }
    }

    /// <summary>This broker has no silo from now on.</summary>
    public void LoseSilo() => _silo = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void FindSilo() => _silo.SetResult();

    public async Task<bool> CanAskAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        Patience = timeout;
        await Task.WhenAny(_silo.Task, PatienceOver.Task).WaitAsync(cancellationToken);
        return _silo.Task.IsCompleted;
    }

    /// <summary>How long the last question waited for a silo at most; it does so until <see cref="PatienceOver"/>.</summary>
    public TimeSpan Patience { get; private set; }

    public TaskCompletionSource PatienceOver { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async Task<NameReport?> LocateAsync(string brokerId, NameQuery query, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _questions);
        if (_held.TryGetValue(brokerId, out var held))
        {
            await held.Task.WaitAsync(cancellationToken);
        }

        return Silent.Contains(brokerId) ? null : _tables[brokerId].Report(query);
    }

    public Task<KnownHolders?> FindAsync(string name, CancellationToken cancellationToken) => Naming ?? Task.FromResult(Named);

    public bool AreAll(IReadOnlyCollection<string> answered) =>
        _silo.Task.IsCompleted && !IsUnsettled && All.All(other => other.IsSuspect || answered.Contains(other.Id)) && (_others.IsEmpty || answered.Count > 0);

    public void LeaveWord(string name) => _words.Enqueue(name);
}
