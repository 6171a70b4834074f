using System.Net;
using System.Threading.Channels;
using Whip.Hosting.Files;
using Whip.Protocol;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;

namespace Whip.Agent.Homes;

/// <summary>
/// Holds the agent's homes: watches the endpoints and the brokers that others have named, chooses addresses, and leaves an address only
/// once those chosen instead of it are attached. One loop owns all its state.
/// </summary>
internal sealed class HomeSet
{
    /// <summary>How long an address is skipped after its broker has drained.</summary>
    private static readonly TimeSpan RestAfterDrain = TimeSpan.FromSeconds(30);

    /// <summary>A home becomes slow, or sound again, by the passing of time.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly AgentContext _context;
    private readonly TaskTracker _tasks;
    private readonly List<EndpointWatch> _watches;
    private readonly MemberWatches _members;
    private readonly MovePacing _pacing;
    private readonly ITimer _again;
    private readonly Dictionary<HostPort, Home> _homes = [];
    private readonly Dictionary<string, long> _drainedAt = [];
    private readonly Dictionary<HostPort, string> _brokerIds = [];
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private volatile IReadOnlyList<Home> _current = [];
    private volatile IReadOnlyList<ClusterMember> _named = [];

    public HomeSet(AgentContext context, HostResolver resolve)
    {
        _context = context;
        _tasks = new TaskTracker(e => HomeLog.Faulted(context.Log, e));
        _watches = [.. context.Settings.Endpoints.Select(e => EndpointWatch.Of(e, resolve, context, Changed))];
        _members = new MemberWatches(context, resolve, _tasks, Changed);
        _pacing = new MovePacing(context.Time);
        _again = context.Time.CreateTimer(_ => Changed(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Streams that are attached now.</summary>
    public int Attached => _current.Count(h => h.IsAttached);

    /// <summary>Those that are not names.</summary>
    public IReadOnlyList<IPEndPoint> AttachedTo => [.. _current.Where(h => h.IsAttached && !h.IsName).Select(h => IPEndPoint.Parse($"{h.Address}"))];

    /// <summary>
    /// Begins to find and hold homes, and to look at the files, until <paramref name="stop"/>; then every stream ends in good order, or at once on
    /// <paramref name="abort"/>.
    /// </summary>
    public void Start(LiveFiles files, CancellationToken stop, CancellationToken abort)
    {
        _tasks.Run(files.RunAsync, stop);
        _tasks.Run(() => RunAsync(stop, abort));
        _watches.ForEach(w => _tasks.Run(() => w.RunAsync(stop)));
    }

    /// <summary>Completes when nothing of it runs any more.</summary>
    public Task WhenEnded() => _tasks.WhenEmpty();

    /// <summary>The state of a home or of its stream has changed. From any thread, and never made to wait.</summary>
    public void Changed() => _wake.Writer.TryWrite(true);

    /// <summary>The latest list counts, unless it names no broker that can be used.</summary>
    public void MembersNamed(Members members)
    {
        if (MemberReader.Read(members) is { Count: > 0 } read)
        {
            _named = read;
            Changed();
        }
    }

    private async Task RunAsync(CancellationToken stop, CancellationToken abort)
    {
        try
        {
            _again.Change(LookAgain, LookAgain);
            while (true)
            {
                Reconcile(abort);
                await _wake.Reader.ReadAsync(stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }

        await _again.DisposeAsync();
        _members.Stop();
        foreach (var home in _homes.Values)
        {
            home.Retire();
        }

        await Task.WhenAll(_homes.Values.Select(h => h.Completion));
        Forget(_homes.Values.ToList());
    }

    private void Reconcile(CancellationToken abort)
    {
        _members.Update(_named);
        NoteDrains();
        Forget(_homes.Values.Where(h => h.Completion.IsCompleted).ToList());

        // Asked first: the address of a broker that is looked up meanwhile is not among the candidates yet.
        var areKnown = _members.AreKnown;
        var chosen = HomeChoice.Choose(_context.Settings.Name.FullName, Candidates(), _context.Settings.Options.Homes);
        Start(chosen.Where(c => !_homes.ContainsKey(c.Address)).ToList(), abort);
        Retire(chosen, areKnown);
        _current = [.. _homes.Values];
    }

    /// <summary>A lost home is replaced at once; a better one can wait.</summary>
    private void Start(List<Candidate> missing, CancellationToken abort)
    {
        var canWait = _homes.Values.Count(h => h.IsSound) >= _context.Settings.Options.Homes;
        if (missing.Count > 0 && canWait && _pacing.MustWait())
        {
            return;
        }

        _pacing.Reset();
        foreach (var candidate in missing)
        {
            _homes[candidate.Address] = new Home(_context, candidate.Home, candidate.Broker != CandidateList.Unknown(candidate.Address), this, abort);
        }

        if (missing.Count > 0)
        {
            _again.Change(Connector.NextAfter, LookAgain);
        }
    }

    /// <summary>An attached stream is given up only when at least one chosen home is attached and no other is still being opened.</summary>
    private void Retire(List<Candidate> chosen, bool areKnown)
    {
        var held = chosen.ConvertAll(c => _homes.GetValueOrDefault(c.Address));
        var isSettled = areKnown && held.Exists(h => h is { IsAttached: true }) && held.TrueForAll(h => h is { IsAttached: true } or { IsFailing: true });
        foreach (var home in _homes.Values.Where(h => !h.IsRetired && !held.Contains(h) && (isSettled || !h.IsAttached)))
        {
            if (_homes.Values.Any(other => other.BrokerId.Length > 0 && other.BrokerId == home.BrokerId && other.AttachedGeneration > home.Generation))
            {
                HomeLog.Alias(_context.Log, home.Address);
            }

            home.Retire();
        }

        // Another broker is at the address now: the home starts again with it.
        foreach (var candidate in chosen)
        {
            if (_homes.GetValueOrDefault(candidate.Address) is { IsAttached: false } home && home.Claim != candidate.Home.Claim)
            {
                home.Retire();
            }
        }
    }

    private List<Candidate> Candidates()
    {
        foreach (var home in _homes.Values.Where(h => h.BrokerId.Length > 0))
        {
            _brokerIds[home.Address] = home.BrokerId;
        }

        var candidates = CandidateList.Build(_watches.SelectMany(w => w.Addresses), _members.Addresses, _members.Zones, _brokerIds);
        var addresses = candidates.Select(c => c.Address).ToHashSet();
        foreach (var address in _brokerIds.Keys.Where(a => !addresses.Contains(a)))
        {
            _brokerIds.Remove(address);
        }

        return candidates.ConvertAll(WithCondition);
    }

    private Candidate WithCondition(Candidate candidate)
    {
        var home = _homes.GetValueOrDefault(candidate.Address);
        return candidate with
        {
            IsHeld = home is not null,
            IsFailing = home?.IsFailing ?? false,
            IsResting = _drainedAt.ContainsKey(candidate.Broker),
            IsDraining = home?.IsDraining ?? false,
            AttachedGeneration = home?.AttachedGeneration ?? 0,
        };
    }

    private void NoteDrains()
    {
        foreach (var (broker, since) in _drainedAt)
        {
            if (_context.Time.GetElapsedTime(since) >= RestAfterDrain)
            {
                _drainedAt.Remove(broker);
            }
        }

        foreach (var home in _homes.Values.Where(h => h.IsDraining))
        {
            _drainedAt.TryAdd(home.BrokerId.Length > 0 ? home.BrokerId : CandidateList.Unknown(home.Address), _context.Time.GetTimestamp());
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
