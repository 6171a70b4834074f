using Whip.Registry.Routes;

namespace Whip.Registry.Holders;

/// <summary>
/// The registry of a broker in a cluster. For a name that this broker does not hold, the grains say which brokers to ask, or all are asked; their answers
/// are remembered for a short time.
/// </summary>
internal sealed class ClusterRegistry : IClientRegistry, IAsyncDisposable
{
    private readonly LocalRoutes _local;
    private readonly IOtherBrokers _others;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ReportCache _cache;
    private readonly NameWaits _waits;

    public ClusterRegistry(LocalRoutes local, IOtherBrokers others, TimeProvider time)
    {
        _local = local;
        _others = others;
        _cache = new ReportCache(others, time, _stopping.Token);
        _waits = new NameWaits(local, others, _cache, time, _stopping.Token);
    }

    public IReadOnlyList<StreamRoute> Attach(StreamRoute route) => _local.Attach(route);

    public void Update(StreamRoute route) => _local.Update(route);

    public void Detach(StreamRoute route) => _local.Detach(route);

    public ValueTask<Resolution> ResolveAsync(ResolveRequest request, CancellationToken cancellationToken)
    {
        var own = _local.Resolve(request);
        return IsHere(request, own) || request.Scope == ResolveScope.OwnOnly ? new(own) : ResolveInClusterAsync(request, cancellationToken);
    }

    public void Forget(ResolveRequest request, string brokerId) => _cache.Forget(Query(request), brokerId);

    /// <summary>The remembered answers for a name; null if there are none.</summary>
    public NameReports? Remembered(NameQuery query, out bool isBelieved) => _cache.Peek(query, out isBelieved);

    public IRouteWatch? Watch(string name) => _waits.Add(name);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _waits.WhenStopped();
        await _cache.WhenStopped();
        _stopping.Dispose();
    }

    private static NameQuery Query(ResolveRequest request) => new(request.Target.Name, request.Target.Port, request.Zone);

    private static bool IsHere(ResolveRequest request, Resolution own) =>
        own.Route is { } route && (request.Scope == ResolveScope.OwnFirst || route.Name.FullName == request.Target.Name);

    private async ValueTask<Resolution> ResolveInClusterAsync(ResolveRequest request, CancellationToken cancellationToken)
    {
        var query = Query(request);
        var reports = await _cache.GetAsync(query, request.IsFresh, cancellationToken);
        var choice = Choose(request, reports);

        // Ask again if the remembered answers lead nowhere, or to a broker that may have gone. Those that the grains named cannot decide alone that
        // nobody holds the name.
        var leadsNowhere = request.TriedBrokers.Count > 0 && choice is { Holder: null, Route: null };
        if (!request.IsFresh && (leadsNowhere || IsSuspect(choice.Holder) || (reports.AreNamed && IsUnknown(choice))))
        {
            reports = await _cache.GetAsync(query, isFresh: true, cancellationToken);
            if (leadsNowhere)
            {
                // The first one to answer may be the one that has failed.
                await reports.All.WaitAsync(cancellationToken);
            }

            choice = Choose(request, reports);
        }

        return IsUnknown(choice) && !reports.IsWhole ? new Resolution(ResolveStatus.Unanswered) : choice;
    }

    private static bool IsUnknown(Resolution choice) => choice.Status is ResolveStatus.NoSuchHost or ResolveStatus.NoSuchDomain;

    private Resolution Choose(ResolveRequest request, NameReports reports)
    {
        // In this order, and after the others have answered: an agent that has lost another broker may have registered here meanwhile.
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
        var holders = theirs.Where(pair => pair.Value.Serves).Select(pair => pair.Key).ToList();
        var untried = holders.Where(id => !request.TriedBrokers.Contains(id)).ToList();
        var trusted = untried.Where(id => !IsSuspect(id)).ToList();
        var eligible = trusted.Count > 0 ? trusted : untried;
        if (eligible.Count == 0)
        {
            var wasTried = holders.Count > 0 || request.TriedBrokers.Count > 0 || own.Status == ResolveStatus.Exhausted;
            var failing = theirs.Values.Append(mine).Where(report => report.IsInstance).SelectMany(report => report.Failing).ToList();
            return !wasTried && failing.Count > 0 ? Resolution.Unhealthy(failing)
                : new Resolution(wasTried || mine.Publishes ? ResolveStatus.Exhausted : ResolveStatus.PortNotPublished);
        }

        var isAmbiguous = mine.IsDomain || theirs.Values.Any(report => report.IsDomain);
        return new Resolution(
            ResolveStatus.Found, HasMore: untried.Count > 1, IsAmbiguous: isAmbiguous, Holder: eligible[Random.Shared.Next(eligible.Count)]);
    }

    private bool IsSuspect(string? brokerId) =>
        brokerId is not null && _others.All.FirstOrDefault(other => other.Id == brokerId) is not { Id: not null, IsSuspect: false };
}
