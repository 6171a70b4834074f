using System.Collections.Concurrent;

namespace Whip.Registry.Holders;

/// <summary>
/// The latest answers of the other brokers. The holder of an instance is remembered for 30 seconds, because a broker that no longer holds it says
/// so; misses and the sizes of domains for one. Dials that miss at the same time share one round of questions.
/// </summary>
internal sealed class ReportCache(IOtherBrokers others, TimeProvider time, CancellationToken stopping)
{
    private const int MaxEntries = 65_536;

    private static readonly TimeSpan HolderLife = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan OtherLife = TimeSpan.FromSeconds(1);

    // A broker that has lost its silo gets another one sooner, if the database can be reached.
    private static readonly TimeSpan SiloTimeout = TimeSpan.FromSeconds(1.5);

    // Many times what a grain needs; after it all brokers are asked.
    private static readonly TimeSpan GrainTimeout = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<NameQuery, NameReports> _byQuery = new();
    private readonly Lock _asking = new();

    // Rounds of questions that are still under way though a newer one has taken their place.
    private readonly List<Task> _replaced = [];

    public int Count => _byQuery.Count;

    /// <summary>
    /// Returns once a holder of the instance and its port is known, or all have answered. Fresh answers are to questions asked from now on.
    /// Cancellation ends the wait, not the questions.
    /// </summary>
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

    /// <summary>What is remembered, and whether it would still be used as an answer.</summary>
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

    /// <summary>Completes when no question is under way any more, after stopping was cancelled.</summary>
    public Task WhenStopped()
    {
        lock (_asking)
        {
            return Task.WhenAll(_byQuery.Values.Select(reports => reports.All).Concat(_replaced));
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
            if (_byQuery.TryGetValue(query, out var before))
            {
                KeepSuspect(before, reports);
                _replaced.RemoveAll(round => round.IsCompleted);
                _replaced.Add(before.All);
            }

            // A dial asks for fresh answers after what the grains knew was wrong.
            var isFresh = since > long.MinValue;
            reports.All = Task.Run(() => AnswerAsync(reports, query, isFresh), CancellationToken.None);
            return _byQuery[query] = reports;
        }
    }

    // A suspect broker may still hold the name: it is tried last, and forgotten when it fails.
    private void KeepSuspect(NameReports before, NameReports now)
    {
        foreach (var (id, report) in before.ByBroker)
        {
            if (report.Serves && others.All.Any(other => other.Id == id && other.IsSuspect))
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

    /// <summary>Each question has its own time limit.</summary>
    private async Task AnswerAsync(NameReports reports, NameQuery query, bool isFresh)
    {
        try
        {
            reports.AreNamed = !isFresh && await AskHoldersAsync(reports, query);
            if (!reports.AreNamed && await others.CanAskAsync(SiloTimeout, stopping))
            {
                await AskAllAsync(reports, query);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The broker stops.
        }
    }

    /// <summary>Asks the brokers that the grains name. False: none of them holds the name.</summary>
    private async Task<bool> AskHoldersAsync(NameReports reports, NameQuery query)
    {
        try
        {
            if (await others.FindAsync(query.Name, stopping).WaitAsync(GrainTimeout, time, stopping) is not { } known)
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
            // Before the answer is that nobody holds the name, those that were slow or have just joined are asked again.
            await AskTheseAsync(reports, query, [.. others.All.Where(other => !reports.Answered.Contains(other.Id))]);
        }

        reports.IsWhole = others.AreAll(reports.Answered);
    }

    private Task AskTheseAsync(NameReports reports, NameQuery query, IReadOnlyList<OtherBroker> asked)
    {
        // ToList starts the questions: all are under way before the first wait.
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
