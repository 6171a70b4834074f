using System.Net;
using System.Threading.Channels;
using Whip.Hosting.Listening;

namespace Whip.Agent.Homes;

/// <summary>
/// Holds the agent's homes: watches the endpoints, chooses addresses, and leaves an address only once those chosen instead of it
/// stand. One loop owns all its state.
/// </summary>
internal sealed class HomeSet
{
    /// <summary>How long an address is passed over after its broker asked to be left.</summary>
    private static readonly TimeSpan RestAfterDrain = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    private readonly AgentContext _context;
    private readonly TaskTracker _tasks;
    private readonly List<EndpointWatch> _watches;
    private readonly Dictionary<IPEndPoint, Home> _homes = [];
    private readonly Dictionary<IPEndPoint, long> _drainedAt = [];
    private readonly Dictionary<IPEndPoint, string> _brokerIds = [];
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private volatile IReadOnlyList<Home> _current = [];

    public HomeSet(AgentContext context, HostResolver resolve)
    {
        _context = context;
        _tasks = new TaskTracker(e => AgentLog.Faulted(context.Log, e));
        _watches = [.. context.Settings.Endpoints.Select(e => new EndpointWatch(e, resolve, context.Time, context.Log, Wake))];
    }

    /// <summary>Streams that a broker accepted and that stand now.</summary>
    public int Attached => _current.Count(h => h.IsAttached);

    /// <summary>Begins to find and hold homes, until <paramref name="stop"/>; then every stream ends in good order, or at once on <paramref name="abort"/>.</summary>
    public void Start(CancellationToken stop, CancellationToken abort)
    {
        _tasks.Run(() => RunAsync(stop, abort));
        _watches.ForEach(w => _tasks.Run(() => w.RunAsync(stop)));
    }

    /// <summary>Completes when nothing of it runs any more.</summary>
    public Task WhenEnded() => _tasks.WhenEmpty();

    private async Task RunAsync(CancellationToken stop, CancellationToken abort)
    {
        try
        {
            using var again = _context.Time.CreateTimer(_ => Wake(), null, LookAgain, LookAgain);
            while (true)
            {
                Reconcile(abort);
                await _wake.Reader.ReadAsync(stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }

        foreach (var home in _homes.Values)
        {
            home.Retire();
        }

        await Task.WhenAll(_homes.Values.Select(h => h.Completion));
        Forget(_homes.Values.ToList());
    }

    private void Wake() => _wake.Writer.TryWrite(true);

    private void Reconcile(CancellationToken abort)
    {
        var candidates = Candidates();
        NoteBrokers(candidates);
        NoteDrains();
        Forget(_homes.Values.Where(h => h.Completion.IsCompleted).ToList());
        var chosen = HomeChoice.Choose(_context.Settings.Name.FullName, candidates.Keys, _context.Settings.Homes, ConditionOf);
        foreach (var address in chosen)
        {
            if (!_homes.ContainsKey(address))
            {
                _homes[address] = new Home(_context, candidates[address], Wake, abort);
            }
        }

        RetireAllBut(chosen);
        _current = [.. _homes.Values];
    }

    /// <summary>A stream that stands is given up only when at least one chosen home stands and no other is still on its way.</summary>
    private void RetireAllBut(List<IPEndPoint> chosen)
    {
        var isSettled = chosen.Exists(a => _homes[a].IsAttached) && chosen.TrueForAll(a => _homes[a] is { IsAttached: true } or { IsFailing: true });
        foreach (var home in _homes.Values.Where(h => !h.IsRetired && !chosen.Contains(h.Address) && (isSettled || !h.IsAttached)))
        {
            if (IsAlias(home.Address, home))
            {
                AgentLog.Alias(_context.Log, home.Address);
            }

            home.Retire();
        }
    }

    private HomeCondition ConditionOf(IPEndPoint address)
    {
        if (_drainedAt.ContainsKey(address))
        {
            return HomeCondition.Resting;
        }

        var home = _homes.GetValueOrDefault(address);
        return IsAlias(address, home) ? HomeCondition.Alias : home is { IsFailing: true } ? HomeCondition.Failing : HomeCondition.Usable;
    }

    /// <summary>Two addresses of one broker would end each other's stream for ever: the newest stream is the one the broker keeps.</summary>
    private bool IsAlias(IPEndPoint address, Home? home) =>
        _brokerIds.TryGetValue(address, out var id) && _homes.Values.Any(other =>
            other != home && other.IsAttached && other.BrokerId == id && other.Generation > (home?.Generation ?? 0));

    private Dictionary<IPEndPoint, HomeAddress> Candidates()
    {
        var candidates = new Dictionary<IPEndPoint, HomeAddress>();
        foreach (var home in _watches.SelectMany(w => w.Addresses))
        {
            candidates.TryAdd(home.Address, home);
        }

        return candidates;
    }

    private void NoteBrokers(Dictionary<IPEndPoint, HomeAddress> candidates)
    {
        foreach (var home in _homes.Values.Where(h => h.BrokerId.Length > 0))
        {
            _brokerIds[home.Address] = home.BrokerId;
        }

        foreach (var address in _brokerIds.Keys.Where(a => !candidates.ContainsKey(a)))
        {
            _brokerIds.Remove(address);
        }
    }

    private void NoteDrains()
    {
        foreach (var (address, since) in _drainedAt)
        {
            if (_context.Time.GetElapsedTime(since) >= RestAfterDrain)
            {
                _drainedAt.Remove(address);
            }
        }

        foreach (var home in _homes.Values.Where(h => h.IsDraining))
        {
            _drainedAt.TryAdd(home.Address, _context.Time.GetTimestamp());
        }
    }

    private void Forget(List<Home> ended)
    {
        foreach (var home in ended)
        {
            _homes.Remove(home.Address);
            home.Dispose();
        }
    }
}
