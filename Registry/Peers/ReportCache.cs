using System.Collections.Concurrent;

namespace Whip.Registry.Peers;

/// <summary>
/// What the peers said lately. Who holds an instance is believed for 30 seconds, for a broker that does not hold it any more says
/// so; a miss and the sizes of domains are believed for one. Dials that miss at the same time share one round of questions.
/// </summary>
internal sealed class ReportCache(IPeers peers, IHolderIndex? index, TimeProvider time, CancellationToken stopping)
{
    private const int MaxEntries = 65_536;

    private static readonly TimeSpan HolderLife = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan OtherLife = TimeSpan.FromSeconds(1);

    // A link that breaks is back in less, if the other side is.
    private static readonly TimeSpan LinkPatience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LinkInterval = TimeSpan.FromMilliseconds(20);

    // Many times what an index takes that is well; everybody is asked then, and the first to know it ends the wait.
    private static readonly TimeSpan IndexPatience = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<NameQuery, NameReports> _byQuery = new();
    private readonly Lock _asking = new();

    public int Count => _byQuery.Count;

    /// <param name="query">About whom.</param>
    /// <param name="isFresh">Asks in any case; an answer that is under way may be older than what the caller knows.</param>
    /// <param name="cancellationToken">Ends the wait; the questions are answered for others all the same.</param>
    public async ValueTask<NameReports> GetAsync(NameQuery query, bool isFresh, CancellationToken cancellationToken)
    {
        var reports = !isFresh && _byQuery.TryGetValue(query, out var known) && IsBelieved(known) ? known : Ask(query, isFresh);
        await reports.Enough.WaitAsync(cancellationToken);
        return reports;
    }

    /// <summary>What is remembered, and whether it would still do as an answer.</summary>
    public NameReports? Peek(NameQuery query, out bool isBelieved)
    {
        var reports = _byQuery.GetValueOrDefault(query);
        isBelieved = reports is not null && IsBelieved(reports);
        return reports;
    }

    public void Forget(NameQuery query, string brokerId)
    {
        if (_byQuery.TryGetValue(query, out var reports))
        {
            reports.Remove(brokerId);
        }
    }

    private bool IsBelieved(NameReports reports)
    {
        var age = time.GetElapsedTime(reports.AskedAt);
        return reports.HasHolder ? age < HolderLife : age < OtherLife && !reports.IsPartial;
    }

    private NameReports Ask(NameQuery query, bool isFresh)
    {
        NameReports reports;
        lock (_asking)
        {
            if (!isFresh && _byQuery.TryGetValue(query, out var known) && IsBelieved(known))
            {
                return known;
            }

            MakeRoom();
            reports = new NameReports(time.GetTimestamp());
            KeepUnanswered(_byQuery.GetValueOrDefault(query), reports);
            _byQuery[query] = reports;
        }

        // What the index knew has failed, or has not been there.
        _ = index is null || isFresh ? AskAllAsync(reports, query) : AskHoldersAsync(index, reports, query);
        return reports;
    }

    // A broker that cannot be asked may hold the name all the same: its route is tried last, and forgotten when it fails.
    private void KeepUnanswered(NameReports? before, NameReports now)
    {
        foreach (var (id, report) in before?.ByBroker ?? new Dictionary<string, NameReport>())
        {
            if (report.Publishes && peers.All.Any(peer => peer.Id == id && !peer.Answers))
            {
                now.Keep(id, report);
            }
        }
    }

    private void MakeRoom()
    {
        if (_byQuery.Count < MaxEntries)
        {
            return;
        }

        foreach (var (query, _) in _byQuery.Where(entry => !IsBelieved(entry.Value)))
        {
            _byQuery.TryRemove(query, out _);
        }

        if (_byQuery.Count >= MaxEntries)
        {
            _byQuery.Clear();
        }
    }

    /// <summary>Asks those that the index names, and everybody if none of them has the name.</summary>
    private async Task AskHoldersAsync(IHolderIndex holderIndex, NameReports reports, NameQuery query)
    {
        try
        {
            if (await holderIndex.FindAsync(query.Name, stopping).WaitAsync(IndexPatience, time, stopping) is { } known)
            {
                await AskTheseAsync(reports, query, peers.All.Where(peer => known.Others.Contains(peer.Id)));
                if (reports.HasFindings || known is { IsHere: true, Others.Count: 0 })
                {
                    reports.AllAnswered();
                    return;
                }
            }
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            // Too slow, or the broker stops.
        }

        await AskAllAsync(reports, query);
    }

    // Ends when the last question does, each of which has its own limit; it never fails.
    private async Task AskAllAsync(NameReports reports, NameQuery query)
    {
        await AskTheseAsync(reports, query, peers.All);
        if (!reports.HasFindings)
        {
            // Links break and come back, above all when this broker was frozen itself: to say that nobody holds the name it waits for them.
            await Task.WhenAll(peers.All.Where(IsExpected).Select(peer => AskWhenLinkedAsync(reports, peer, query)));
        }

        reports.AllAnswered();
    }

    // Who is silent is asked, but not waited for.
    private Task AskTheseAsync(NameReports reports, NameQuery query, IEnumerable<Peer> asked)
    {
        var linked = asked.Where(peer => peer.IsLinked).ToList();
        var trusted = linked.Where(peer => peer.Answers).Select(peer => AskAsync(reports, peer, query)).ToList();
        var silent = linked.Where(peer => !peer.Answers).Select(peer => AskAsync(reports, peer, query)).ToList();
        return Task.WhenAll(trusted.Count > 0 ? trusted : silent);
    }

    // Its lease is fresh, so it lives, or has died a moment ago.
    private static bool IsExpected(Peer peer) => peer is { IsLinked: false, Member.IsSuspect: false };

    private async Task AskWhenLinkedAsync(NameReports reports, Peer peer, NameQuery query)
    {
        var since = time.GetTimestamp();
        while (peers.All.Any(now => now.Id == peer.Id && IsExpected(now)) && time.GetElapsedTime(since) < LinkPatience && !stopping.IsCancellationRequested)
        {
            await Task.Delay(LinkInterval, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (peers.All.FirstOrDefault(now => now.Id == peer.Id) is { IsLinked: true } linked)
        {
            await AskAsync(reports, linked, query);
        }
        else
        {
            reports.IsPartial = true;
        }
    }

    private async Task AskAsync(NameReports reports, Peer peer, NameQuery query)
    {
        try
        {
            if (await peers.LookupAsync(peer.Id, query, stopping) is { } report)
            {
                reports.Add(peer.Id, report);
            }
            else if (peer.Answers)
            {
                reports.IsPartial = true;
            }
        }
        catch (OperationCanceledException)
        {
            // The broker stops.
        }
    }
}
