using Whip.Registry.Routes;

namespace Whip.Registry.Peers;

/// <summary>
/// The engine whose streams live at their holders alone: a name that is not here is asked of every peer, and what they say is
/// remembered for a short while. A registration costs nothing anywhere else. For tens of brokers: a miss is one small message to each.
/// </summary>
internal sealed class PeerRegistry : IClientRegistry
{
    private readonly LocalRoutes _local;
    private readonly IPeers _peers;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ReportCache _cache;

    /// <param name="local">What this broker holds.</param>
    /// <param name="peers">Who is asked.</param>
    /// <param name="index">Says whom to ask; null: everybody.</param>
    /// <param name="time">For how long answers are believed.</param>
    public PeerRegistry(LocalRoutes local, IPeers peers, IHolderIndex? index, TimeProvider time)
    {
        _local = local;
        _peers = peers;
        _cache = new ReportCache(peers, index, time, _stopping.Token);
    }

    public ValueTask<IReadOnlyList<StreamRoute>> AnnounceAsync(StreamRoute route, CancellationToken cancellationToken) => new(_local.Add(route));

    public ValueTask WithdrawAsync(StreamRoute route, CancellationToken cancellationToken)
    {
        _local.Remove(route);
        return ValueTask.CompletedTask;
    }

    public ValueTask<Resolution> ResolveAsync(ResolveRequest request, CancellationToken cancellationToken)
    {
        var own = _local.Resolve(request);
        return IsHere(request, own) || request.Scope == ResolveScope.OwnOnly ? new(own) : ResolveInClusterAsync(request, cancellationToken);
    }

    public void Forget(ResolveRequest request, string brokerId) => _cache.Forget(Query(request), brokerId);

    /// <summary>What a dial would find in memory before it asks anybody; null if nothing.</summary>
    public NameReports? Remembered(NameQuery query, out bool isBelieved) => _cache.Peek(query, out isBelieved);

    public IRouteWatch? Watch(string name) => _local.Watch(name) is { } own ? new PeerWatch(own, _peers, name) : null;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _stopping.Dispose();
    }

    private static NameQuery Query(ResolveRequest request) => new(request.Name, request.Port, request.Zone);

    private static bool IsHere(ResolveRequest request, Resolution own) =>
        own.Route is { } route && (request.Scope == ResolveScope.OwnFirst || route.Name.FullName == request.Name);

    private async ValueTask<Resolution> ResolveInClusterAsync(ResolveRequest request, CancellationToken cancellationToken)
    {
        var query = Query(request);
        var reports = await _cache.GetAsync(query, request.IsFresh, cancellationToken);
        var choice = Choose(request, reports);

        // What is remembered leads nowhere, or to a broker that may be gone: the others may know better by now.
        var leadsNowhere = request.TriedBrokers.Count > 0 && choice is { Holder: null, Route: null };
        if (!request.IsFresh && (leadsNowhere || IsSuspect(choice.Holder)))
        {
            reports = await _cache.GetAsync(query, isFresh: true, cancellationToken);
            if (leadsNowhere)
            {
                // The first that answers may be the one that has failed.
                await reports.All.WaitAsync(cancellationToken);
            }

            choice = Choose(request, reports);
        }

        return reports.IsPartial && choice.Status is (ResolveStatus.NoSuchHost or ResolveStatus.NoSuchDomain) ? new Resolution(ResolveStatus.Unanswered) : choice;
    }

    private Resolution Choose(ResolveRequest request, NameReports reports)
    {
        // In this order, and after the others were asked: agents register here meanwhile, one after it has lost another broker above all.
        var mine = _local.Report(Query(request));
        var own = _local.Resolve(request);
        if (IsHere(request, own))
        {
            return own;
        }

        var theirs = reports.ByBroker;
        return mine.IsInstance || theirs.Values.Any(report => report.IsInstance)
            ? ChooseHolder(request, own, mine, theirs)
            : new DomainChoice(request, own, mine, _local.Balance).Choose(theirs, IsSuspect);
    }

    private Resolution ChooseHolder(ResolveRequest request, Resolution own, NameReport mine, IReadOnlyDictionary<string, NameReport> theirs)
    {
        var holders = theirs.Where(pair => pair.Value.Publishes).Select(pair => pair.Key).ToList();
        var untried = holders.Where(id => !request.TriedBrokers.Contains(id)).ToList();
        var trusted = untried.Where(id => !IsSuspect(id)).ToList();
        var eligible = trusted.Count > 0 ? trusted : untried;
        if (eligible.Count == 0)
        {
            var wasThere = holders.Count > 0 || mine.Publishes || request.TriedBrokers.Count > 0 || own.Status == ResolveStatus.Exhausted;
            return new Resolution(wasThere ? ResolveStatus.Exhausted : ResolveStatus.PortNotPublished);
        }

        var isAmbiguous = mine.IsDomain || theirs.Values.Any(report => report.IsDomain);
        return new Resolution(
            ResolveStatus.Found, HasMore: untried.Count > 1, IsAmbiguous: isAmbiguous, Holder: eligible[Random.Shared.Next(eligible.Count)]);
    }

    private bool IsSuspect(string? brokerId) =>
        brokerId is not null && _peers.All.FirstOrDefault(peer => peer.Id == brokerId) is not { IsSuspect: false };
}
