using Microsoft.Extensions.Logging;
using Whip.Protocol.Names;
using Whip.Registry.Holders;

namespace Whip.Grains.Members;

/// <summary>
/// The brokers of the cluster: those whose silo is active, as each describes itself. It is told of the views of this broker's silo and of the
/// answers to pings, and judges who is suspect and whether this process has to give way. While this broker has no silo, everything stays as it is.
/// Owner: the lock.
/// </summary>
/// <param name="self">Who this broker is; its addresses follow with <see cref="Introduce"/>.</param>
/// <param name="clusterId">For messages.</param>
/// <param name="log">The broker's.</param>
/// <param name="time">For silence and for how long the dead are remembered.</param>
internal sealed class MemberTable(BrokerFacts self, string clusterId, ILogger log, TimeProvider time)
{
    /// <summary>A broker whose silo died is a suspect member for as long, and a broker that lives has another silo in less.</summary>
    private static readonly TimeSpan RememberedFor = TimeSpan.FromSeconds(30);

    /// <summary>For as long after its silo's death a broker may hold streams that nobody can ask it for.</summary>
    private static readonly TimeSpan UnsettledFor = TimeSpan.FromSeconds(5);

    private static readonly CancellationToken Cancelled = new(canceled: true);

    private readonly Lock _lock = new();
    private readonly SiloPings _pings = new(time);
    private readonly Dictionary<string, Known> _known = [];
    private readonly Dictionary<string, SiloAddress> _silos = [];
    private readonly Dictionary<string, long> _endedAt = [];
    private readonly TaskCompletionSource<string> _conflict = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IReadOnlyList<BrokerMember> _members = [];
    private IReadOnlyList<OtherBroker> _others = [];
    private BrokerFacts _self = self;
    private SiloView? _view;
    private long _disownedBy = long.MinValue;
    private long? _listedAt;
    private bool _hasJoined;
    private string _told = "";

    /// <summary>The brokers of the cluster ordered by id, this one always among them and never suspect; empty until it has joined. Replaced, never altered.</summary>
    public IReadOnlyList<BrokerMember> Members => Volatile.Read(ref _members);

    /// <summary>The others, those included that have said nothing of themselves yet. Replaced, never altered.</summary>
    public IReadOnlyList<OtherBroker> Others => Volatile.Read(ref _others);

    /// <summary>Completes when another process is this broker, or has an address of it, and has been for longer; with what to tell the user.</summary>
    public Task<string> Superseded => _conflict.Task;

    /// <summary>The ids of the brokers that are silos, in order, as this broker's silo sees them; empty while it has none.</summary>
    public IReadOnlyList<string> Silos
    {
        get
        {
            lock (_lock)
            {
                return _view is { IsActive: true } ? [.. _view.Silos.Values.Order(StringComparer.Ordinal)] : [];
            }
        }
    }

    /// <summary>The silos that have not answered, as a user would look for them.</summary>
    public IReadOnlyList<string> Silent
    {
        get
        {
            lock (_lock)
            {
                return [.. _silos.Where(silo => _pings.Of(silo.Value).IsSuspect).Select(silo => Printable.Clean($"{silo.Key} at {silo.Value.Endpoint}"))];
            }
        }
    }

    /// <summary>The silos of the others that are active.</summary>
    public IReadOnlyList<SiloAddress> OtherSilos
    {
        get
        {
            lock (_lock)
            {
                return [.. _silos.Values];
            }
        }
    }

    /// <summary>Where this broker is reached, once its listeners are bound.</summary>
    public void Introduce(HostPort externalGrpc, HostPort externalTcp, HostPort externalDial) =>
        _self = _self with { ExternalGrpc = $"{externalGrpc}", ExternalTcp = $"{externalTcp}", ExternalDial = $"{externalDial}" };

    /// <summary>What this broker says of itself now.</summary>
    public BrokerFacts Self()
    {
        lock (_lock)
        {
            return _self = _self with { Sequence = _self.Sequence + 1 };
        }
    }

    /// <summary>Completes when <see cref="Members"/> is another list than <paramref name="seen"/>.</summary>
    public Task WaitForChangeAsync(IReadOnlyList<BrokerMember> seen, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return ReferenceEquals(seen, _members) ? _changed.Task.WaitAsync(cancellationToken) : Task.CompletedTask;
        }
    }

    /// <summary>Completes when there is something that the others should hear at once, or another silo to ask.</summary>
    public Task WaitForNewsAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return _news.Task.WaitAsync(cancellationToken);
        }
    }

    public BrokerMember? Find(string brokerId) => Members.FirstOrDefault(member => member.Id == brokerId);

    /// <summary>The active silo of another broker.</summary>
    public SiloAddress? SiloOf(string brokerId)
    {
        lock (_lock)
        {
            return _silos.GetValueOrDefault(brokerId);
        }
    }

    public string? BrokerOf(SiloAddress silo)
    {
        lock (_lock)
        {
            return _view?.Silos.GetValueOrDefault(silo);
        }
    }

    /// <summary>Fires when the broker becomes suspect; cancelled already while it is, or is not known.</summary>
    public CancellationToken Suspected(string brokerId)
    {
        lock (_lock)
        {
            return _known.GetValueOrDefault(brokerId) is { IsSuspect: false } known ? known.Trust.Token : Cancelled;
        }
    }

    public bool IsSuspect(SiloAddress silo)
    {
        lock (_lock)
        {
            return !silo.Equals(_view?.Self) && _pings.Of(silo).IsSuspect;
        }
    }

    /// <summary>Of its last ping that was answered.</summary>
    public TimeSpan? RoundTrip(string brokerId)
    {
        lock (_lock)
        {
            return _silos.TryGetValue(brokerId, out var silo) ? _pings.Of(silo).RoundTrip : null;
        }
    }

    /// <summary>
    /// Whether these brokers, asked just now, are all that could hold a name: everybody whose silo is active and who is not suspect, and
    /// somebody, unless there is nobody else. Not while this broker's silo may be dead, nor as long as one that died may have a living broker.
    /// </summary>
    public bool AreAll(IReadOnlyCollection<string> answered)
    {
        lock (_lock)
        {
            return _view is { IsActive: true } && _disownedBy <= _view.Version
                && !_endedAt.Values.Any(endedAt => time.GetElapsedTime(endedAt) < UnsettledFor)
                && _silos.All(silo => answered.Contains(silo.Key) || (_pings.Of(silo.Value).IsSuspect && !_pings.IsNew(silo.Value)))
                && (_silos.Count == 0 || _silos.Keys.Any(answered.Contains));
        }
    }

    /// <summary>Whether another silo, asked within the last 1.5 s, has said that this broker's silo is active.</summary>
    public bool IsListed()
    {
        lock (_lock)
        {
            return _listedAt is { } at && time.GetElapsedTime(at) < SiloPings.AnswerTimeout;
        }
    }

    public void SetDraining(bool isDraining) => Change(() =>
    {
        _self = _self with { IsDraining = isDraining };
        TellNews();
    });

    /// <summary>The view of this broker's silo, which may not be active yet; null when it has ended.</summary>
    public void Follow(SiloView? view) => Change(() =>
    {
        _view = view;
        if (view is null)
        {
            return;
        }

        if (!view.Self.Equals(_self.Silo))
        {
            (_self, _listedAt, _disownedBy) = (_self with { Silo = view.Self, ActiveSince = 0 }, null, long.MinValue);
        }

        if (view.IsActive)
        {
            _hasJoined = true;
            _self = _self.ActiveSince == 0 ? _self with { ActiveSince = view.Version } : _self;
        }

        var areOthers = !_self.ActiveSilos.ToHashSet().SetEquals(view.Silos.Keys);
        _self = _self with { ViewVersion = view.Version, ActiveSilos = [.. view.Silos.Keys] };
        _pings.Follow([.. view.Silos.Keys]);
        FollowOthers(view);
        if (areOthers)
        {
            TellNews();
        }
    });

    /// <summary>Another process has taken this broker's place.</summary>
    public void Supersede(string problem) => _conflict.TrySetResult(problem);

    /// <summary>Pings are about to be sent.</summary>
    public void Tick() => Change(() =>
    {
        _pings.Tick();
        foreach (var (id, _) in _endedAt.Where(ended => time.GetElapsedTime(ended.Value) >= RememberedFor && !_silos.ContainsKey(ended.Key)).ToList())
        {
            _endedAt.Remove(id);
            _known.Remove(id);
        }
    });

    public void Answered(SiloAddress silo, long sentAt, BrokerFacts facts) => Change(() =>
    {
        _pings.Answered(silo, sentAt);
        if (Learn(facts) && facts.ActiveSilos.Contains(_self.Silo))
        {
            // By when it was asked: an answer from before a freeze of this process is read after it.
            _listedAt = Math.Max(_listedAt ?? sentAt, sentAt);
        }

        if (!_pings.Of(silo).IsSuspect)
        {
            _endedAt.Remove(facts.BrokerId);
        }
    });

    public void Unanswered(SiloAddress silo, long sentAt, string problem) => Change(() => _pings.Unanswered(silo, sentAt, problem));

    /// <summary>What another broker said of itself when it pinged.</summary>
    public void Heard(BrokerFacts facts) => Change(() => Learn(facts));

    private void FollowOthers(SiloView view)
    {
        var before = _silos.Keys.ToList();
        _silos.Clear();
        foreach (var (silo, id) in view.Silos.Where(silo => silo.Value != _self.BrokerId).OrderBy(silo => silo.Key))
        {
            _silos[id] = silo;
        }

        foreach (var id in before.Where(id => !_silos.ContainsKey(id)))
        {
            if (view.Leaving.Contains(id) || _known.GetValueOrDefault(id)?.Facts.IsDraining == true)
            {
                _known.Remove(id);
            }
            else
            {
                _endedAt[id] = time.GetTimestamp();
            }
        }
    }

    /// <returns>Whether they count.</returns>
    private bool Learn(BrokerFacts facts)
    {
        // A silo that this broker's silo does not see yet, or any more, may be that of a process that is about to be refused.
        if (_view is null || _view.Silos.GetValueOrDefault(facts.Silo) != facts.BrokerId || facts.Silo.Equals(_view.Self))
        {
            return false;
        }

        if (!facts.ActiveSilos.Contains(_view.Self) && facts.ViewVersion > _view.Version)
        {
            _disownedBy = Math.Max(_disownedBy, facts.ViewVersion);
        }

        if (_view.IsActive && facts.ActiveSince > 0 && Conflict.Between(_self, facts, clusterId) is { } problem && Conflict.GivesWay(_self, facts))
        {
            Supersede(problem);
        }

        if (facts.BrokerId != _self.BrokerId)
        {
            if (!_known.TryGetValue(facts.BrokerId, out var known))
            {
                _known[facts.BrokerId] = new Known { Facts = facts };
            }
            else if (IsNewer(facts, known.Facts))
            {
                known.Facts = facts;
            }
        }

        return true;
    }

    private bool IsNewer(BrokerFacts facts, BrokerFacts known) => facts.Process == known.Process
        ? facts.Sequence > known.Sequence
        : !_view!.Silos.ContainsKey(known.Silo) || Conflict.GivesWay(known, facts);

    /// <summary>Whoever the broker's own loop wakes looks at the lists, which are made here and nowhere else.</summary>
    private void Change(Action change)
    {
        List<CancellationTokenSource> lost = [];
        TaskCompletionSource? changed = null;
        lock (_lock)
        {
            change();
            foreach (var (id, known) in _known.Where(_ => _view is not null))
            {
                Judge(id, known, lost);
            }

            changed = Publish();
        }

        lost.ForEach(trust => trust.Cancel());
        changed?.SetResult();
    }

    private void Judge(string id, Known known, List<CancellationTokenSource> lost)
    {
        known.HasSilo = _silos.TryGetValue(id, out var silo);
        var pings = known.HasSilo ? _pings.Of(silo!) : null;
        var isSuspect = pings is not { IsSuspect: false };
        if (isSuspect && !known.IsSuspect)
        {
            lost.Add(known.Trust);
            MemberLog.Suspect(log, Printable.Clean(id), Printable.Clean(pings?.Problem ?? "its silo has ended"));
        }
        else if (!isSuspect && known.Trust.IsCancellationRequested)
        {
            MemberLog.TrustedAgain(log, Printable.Clean(id));
            known.Trust = new CancellationTokenSource();
        }

        known.IsSuspect = isSuspect;
    }

    private TaskCompletionSource? Publish()
    {
        OtherBroker[] others = [.. _known.Keys.Union(_silos.Keys).Order(StringComparer.Ordinal).Select(id => new OtherBroker(id, _known.GetValueOrDefault(id)?.IsSuspect ?? true))];
        if (!others.SequenceEqual(_others))
        {
            Volatile.Write(ref _others, others);
        }

        var known = _known.Values.Select(other => BrokerMember.Of(other.Facts, other.IsSuspect, other.HasSilo));
        BrokerMember[] members = _hasJoined ? [.. known.Append(BrokerMember.Of(_self, isSuspect: false, _view is { IsActive: true })).OrderBy(member => member.Id, StringComparer.Ordinal)] : [];
        if (members.SequenceEqual(_members))
        {
            return null;
        }

        Volatile.Write(ref _members, members);
        var text = Printable.Clean(string.Join(", ", members.AsEnumerable()), maxLength: 4096);
        if (text != _told)
        {
            MemberLog.Changed(log, text);
            _told = text;
        }

        (var changed, _changed) = (_changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        return changed;
    }

    private void TellNews()
    {
        _news.TrySetResult();
        _news = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Another broker that has described itself.</summary>
    private sealed class Known
    {
        public required BrokerFacts Facts { get; set; }

        public bool IsSuspect { get; set; } = true;

        public bool HasSilo { get; set; }

        /// <summary>Cancelled when the broker became suspect after it had answered.</summary>
        public CancellationTokenSource Trust { get; set; } = new();
    }
}
