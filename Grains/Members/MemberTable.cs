namespace Whip.Grains.Members;

/// <summary>
/// The brokers of the cluster: those whose silo is active, as each describes itself. From the views of this broker's silo and the answers to pings
/// it decides who is suspect, and whether this process has to stop because of a conflict. Nothing changes while this broker has no silo. Owner: the lock.
/// </summary>
internal sealed class MemberTable(BrokerFacts self, string clusterId, ILogger log, TimeProvider time)
{
    /// <summary>How long a broker whose silo has died stays a suspect member; one that lives has another silo sooner.</summary>
    private static readonly TimeSpan RememberedFor = TimeSpan.FromSeconds(30);

    /// <summary>How long after the death of its silo a broker may hold streams, though it cannot be asked for them.</summary>
    private static readonly TimeSpan UnsettledFor = TimeSpan.FromSeconds(5);

    private static readonly CancellationToken Cancelled = new(canceled: true);

    private readonly Lock _lock = new();
    private readonly SiloPings _pings = new(time);
    private readonly MemberLists _lists = new(log);
    private readonly ChangeSignal _news = new();
    private readonly Dictionary<string, KnownBroker> _known = [];
    private readonly Dictionary<string, SiloAddress> _silos = [];
    private readonly Dictionary<string, long> _endedAt = [];
    private readonly TaskCompletionSource<string> _conflict = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private BrokerFacts _self = self;
    private SiloView? _view;
    private long _disownedBy = long.MinValue;
    private long? _listedAt;
    private bool _hasJoined;

    /// <summary>The brokers of the cluster by id, including this one, which is never suspect; empty until it has joined. Replaced, never altered.</summary>
    public IReadOnlyList<BrokerMember> Members => _lists.Members;

    /// <summary>The others, including those that have not described themselves yet. Replaced, never altered.</summary>
    public IReadOnlyList<OtherBroker> Others => _lists.Others;

    /// <summary>Completes, with a message for the user, when another process has the id or an address of this broker, and had it first.</summary>
    public Task<string> Superseded => _conflict.Task;

    /// <summary>The ids of the brokers that are silos, in order, as this broker's silo sees them; empty while it has none.</summary>
    public IReadOnlyList<string> Silos =>
        Read<IReadOnlyList<string>>(() => _view is { IsActive: true } ? [.. _view.Silos.Values.Order(StringComparer.Ordinal)] : []);

    /// <summary>The silos that have not answered, by broker id and address.</summary>
    public IReadOnlyList<string> Silent => Read<IReadOnlyList<string>>(() =>
        [.. _silos.Where(silo => _pings.Of(silo.Value).IsSuspect).Select(silo => Printable.Clean($"{silo.Key} at {silo.Value.Endpoint}"))]);

    /// <summary>The silos of the others that are active.</summary>
    public IReadOnlyList<SiloAddress> OtherSilos => Read<IReadOnlyList<SiloAddress>>(() => [.. _silos.Values]);

    /// <summary>Sets the external addresses of this broker, once its listeners are bound.</summary>
    public void Introduce(HostPort externalGrpc, HostPort externalTcp, HostPort externalDial) =>
        _self = _self with { ExternalGrpc = $"{externalGrpc}", ExternalTcp = $"{externalTcp}", ExternalDial = $"{externalDial}" };

    /// <summary>How this broker describes itself now.</summary>
    public BrokerFacts Self() => Read(() => _self = _self with { Sequence = _self.Sequence + 1 });

    /// <summary>Completes when <see cref="Members"/> is another list than <paramref name="seen"/>.</summary>
    public Task WaitForChangeAsync(IReadOnlyList<BrokerMember> seen, CancellationToken cancellationToken) => _lists.WaitForChangeAsync(seen, cancellationToken);

    /// <summary>Completes when the others should be pinged at once: this broker drains, or there are other silos.</summary>
    public Task WaitForNewsAsync(CancellationToken cancellationToken) => _news.Next.WaitAsync(cancellationToken);

    public BrokerMember? Find(string brokerId) => Members.FirstOrDefault(member => member.Id == brokerId);

    /// <summary>The active silo of another broker.</summary>
    public SiloAddress? SiloOf(string brokerId) => Read(() => _silos.GetValueOrDefault(brokerId));

    public string? BrokerOf(SiloAddress silo) => Read(() => _view?.Silos.GetValueOrDefault(silo));

    /// <summary>Cancelled when the broker becomes suspect, and while it is suspect or not known.</summary>
    public CancellationToken Suspected(string brokerId) =>
        Read(() => _known.GetValueOrDefault(brokerId) is { IsSuspect: false } known ? known.Trusted : Cancelled);

    public bool IsSuspect(SiloAddress silo) => Read(() => !silo.Equals(_view?.Self) && _pings.Of(silo).IsSuspect);

    /// <summary>Of the last ping that was answered.</summary>
    public TimeSpan? RoundTrip(string brokerId) => Read(() => _silos.TryGetValue(brokerId, out var silo) ? _pings.Of(silo).RoundTrip : null);

    /// <summary>
    /// Whether no broker but these, which have just answered, can hold a name: every one with an active silo that is not suspect has answered, and at
    /// least one has, if there are any. Never while this broker's silo may be dead, or a broker may live whose silo has died.
    /// </summary>
    public bool AreAll(IReadOnlyCollection<string> answered) => Read(() =>
        _view is { IsActive: true } && _disownedBy <= _view.Version
        && !_endedAt.Values.Any(endedAt => time.GetElapsedTime(endedAt) < UnsettledFor)
        && _silos.All(silo => answered.Contains(silo.Key) || (_pings.Of(silo.Value).IsSuspect && !_pings.IsNew(silo.Value)))
        && (_silos.Count == 0 || _silos.Keys.Any(answered.Contains)));

    /// <summary>Whether another silo, asked within the last 1.5 s, has answered that this broker's silo is active.</summary>
    public bool IsListed() => Read(() => _listedAt is { } at && time.GetElapsedTime(at) < SiloPings.AnswerTimeout);

    public void SetDraining(bool isDraining) => Change(() =>
    {
        _self = _self with { IsDraining = isDraining };
        _news.Raise();
    });

    /// <summary>Takes a view of this broker's silo, which may not be active yet; null when the silo has ended.</summary>
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

        var hasOtherSilos = !_self.ActiveSilos.ToHashSet().SetEquals(view.Silos.Keys);
        _self = _self with { ViewVersion = view.Version, ActiveSilos = [.. view.Silos.Keys] };
        _pings.Follow([.. view.Silos.Keys]);
        FollowOthers(view);
        if (hasOtherSilos)
        {
            _news.Raise();
        }
    });

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
            // The time of the question: an answer from before a freeze of this process is read after it.
            _listedAt = Math.Max(_listedAt ?? sentAt, sentAt);
        }

        if (!_pings.Of(silo).IsSuspect)
        {
            _endedAt.Remove(facts.BrokerId);
        }
    });

    public void Unanswered(SiloAddress silo, long sentAt, string problem) => Change(() => _pings.Unanswered(silo, sentAt, problem));

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

    /// <returns>Whether the facts were used.</returns>
    private bool Learn(BrokerFacts facts)
    {
        // A silo that is not in the view of this broker's silo may belong to a process that is about to be refused.
        if (_view is null || _view.Silos.GetValueOrDefault(facts.Silo) != facts.BrokerId || facts.Silo.Equals(_view.Self))
        {
            return false;
        }

        if (!facts.ActiveSilos.Contains(_view.Self) && facts.ViewVersion > _view.Version)
        {
            _disownedBy = Math.Max(_disownedBy, facts.ViewVersion);
        }

        if (_view.IsActive && facts.ActiveSince > 0 && Conflict.Between(_self, facts, clusterId) is { } conflict && Conflict.GivesWay(_self, facts))
        {
            Supersede(conflict.Problem);
        }

        if (facts.BrokerId != _self.BrokerId)
        {
            if (!_known.TryGetValue(facts.BrokerId, out var known))
            {
                _known[facts.BrokerId] = new KnownBroker(facts);
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

    private T Read<T>(Func<T> read)
    {
        lock (_lock)
        {
            return read();
        }
    }

    /// <summary>Every change ends with a new judgement of each broker, and with the lists that follow from it.</summary>
    private void Change(Action change)
    {
        List<CancellationTokenSource> suspected = [];
        lock (_lock)
        {
            change();
            if (_view is not null)
            {
                suspected.AddRange(_known.Select(known => known.Value.Judge(PingsOf(known.Key), log)).OfType<CancellationTokenSource>());
            }

            var members = _known.Values.Select(known => BrokerMember.Of(known.Facts, known.IsSuspect, known.HasSilo))
                .Append(BrokerMember.Of(_self, isSuspect: false, _view is { IsActive: true }));
            _lists.Publish(
                _known.Keys.Union(_silos.Keys).Select(id => new OtherBroker(id, _known.GetValueOrDefault(id)?.IsSuspect ?? true)),
                _hasJoined ? members : []);
        }

        suspected.ForEach(trust => trust.Cancel());
    }

    private SiloPings.State? PingsOf(string brokerId) => _silos.TryGetValue(brokerId, out var silo) ? _pings.Of(silo) : null;
}
