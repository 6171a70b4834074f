using System.Collections.Concurrent;

namespace Whip.Registry.Holders;

/// <summary>
/// What the other brokers said lately. Who holds an instance is believed for 30 seconds, for a broker that does not hold it any more says
/// so; a miss and the sizes of domains are believed for one. Dials that miss at the same time share one round of questions.
/// </summary>
internal sealed class ReportCache(IOtherBrokers others, TimeProvider time, CancellationToken stopping)
{
    private const int MaxEntries = 65_536;

    private static readonly TimeSpan HolderLife = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan OtherLife = TimeSpan.FromSeconds(1);

    // A broker that has lost its silo has another in less, if the database can be reached.
    private static readonly TimeSpan SiloPatience = TimeSpan.FromSeconds(1.5);

    // Many times what a grain takes that is well; everybody is asked then, and the first to know it ends the wait.
    private static readonly TimeSpan GrainPatience = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<NameQuery, NameReports> _byQuery = new();
    private readonly Lock _asking = new();

    public int Count => _byQuery.Count;

    /// <param name="query">About whom.</param>
    /// <param name="isFresh">Only what is asked from now on may answer.</param>
    /// <param name="cancellationToken">Ends the wait; the questions are answered for others all the same.</param>
    /// <returns>With a holder of the instance and its port, or with what everybody said.</returns>
    public async ValueTask<NameReports> GetAsync(NameQuery query, bool isFresh, CancellationToken cancellationToken)
    {
        var since = isFresh ? time.GetTimestamp() : long.MinValue;
        var reports = Known(query, since) ?? Ask(query, since);
        if (!reports.Found.IsCompleted)
        {
            await await Task.WhenAny(reports.Found, reports.All).WaitAsync(cancellationToken);
        }

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

    private NameReports? Known(NameQuery query, long since) =>
        _byQuery.TryGetValue(query, out var known) && known.AskedAt > since && IsBelieved(known) ? known : null;

    private bool IsBelieved(NameReports reports)
    {
        var age = time.GetElapsedTime(reports.AskedAt);
        return reports.HasHolder ? age < HolderLife : !reports.All.IsCompleted || (age < OtherLife && (reports.IsWhole || reports.AreNamed));
    }

    private NameReports Ask(NameQuery query, long since)
    {
        lock (_asking)
        {
            if (Known(query, since) is { } known)
            {
                return known;
            }

            MakeRoom();
            var reports = new NameReports(time.GetTimestamp());
            KeepSuspect(_byQuery.GetValueOrDefault(query), reports);

            // What the grains knew has failed, or was not there, when a dial asks afresh.
            var isFresh = since > long.MinValue;
            reports.All = Task.Run(() => AnswerAsync(reports, query, isFresh), CancellationToken.None);
            return _byQuery[query] = reports;
        }
    }

    // A broker that does not answer may hold the name all the same: its route is tried last, and forgotten when it fails.
    private void KeepSuspect(NameReports? before, NameReports now)
    {
        foreach (var (id, report) in before?.ByBroker ?? new Dictionary<string, NameReport>())
        {
            if (report.Publishes && others.All.Any(other => other.Id == id && other.IsSuspect))
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

    /// <summary>Ends when the last question does, each of which has its own limit.</summary>
    private async Task AnswerAsync(NameReports reports, NameQuery query, bool isFresh)
    {
        try
        {
            reports.AreNamed = !isFresh && await AskHoldersAsync(reports, query);
            if (!reports.AreNamed && await others.CanAskAsync(SiloPatience, stopping))
            {
                await AskAllAsync(reports, query);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Nobody has answered.
        }
    }

    /// <summary>Asks those that the grains name. False: none of them has the name.</summary>
    private async Task<bool> AskHoldersAsync(NameReports reports, NameQuery query)
    {
        try
        {
            if (await others.FindAsync(query.Name, stopping).WaitAsync(GrainPatience, time, stopping) is not { } known)
            {
                return false;
            }

            await AskTheseAsync(reports, query, [.. others.All.Where(other => known.Others.Contains(other.Id))]);
            return reports.HasFindings || known is { IsHere: true, Others.Count: 0 };
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private async Task AskAllAsync(NameReports reports, NameQuery query)
    {
        await AskTheseAsync(reports, query, others.All);
        if (!reports.HasFindings && !others.AreAll(reports.Answered))
        {
            // One was only slow, or came meanwhile: that nobody holds the name is worth a second question.
            await AskTheseAsync(reports, query, [.. others.All.Where(other => !reports.Answered.Contains(other.Id))]);
        }

        reports.IsWhole = others.AreAll(reports.Answered);
    }

    private Task AskTheseAsync(NameReports reports, NameQuery query, IReadOnlyList<OtherBroker> asked)
    {
        // Both lists are made before one is waited for: everybody is asked at once.
        var trusted = asked.Where(other => !other.IsSuspect).Select(other => AskAsync(reports, other.Id, query)).ToList();
        var suspect = asked.Where(other => other.IsSuspect).Select(other => AskAsync(reports, other.Id, query)).ToList();
        return Task.WhenAll(trusted.Count > 0 ? trusted : suspect);
    }

    private async Task AskAsync(NameReports reports, string brokerId, NameQuery query)
    {
        if (await others.LocateAsync(brokerId, query, stopping) is { } report)
        {
            reports.Add(brokerId, report);
        }
    }
}
