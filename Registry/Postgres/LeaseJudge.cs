using Whip.Registry.Membership;

namespace Whip.Registry.Postgres;

/// <summary>
/// Makes the list of members out of rows. In a grace nobody is dropped, and whoever is known keeps the verdict unless the lease is fresh again:
/// when the database was away, every lease is old until its broker has come back too.
/// </summary>
internal sealed class LeaseJudge(PostgresMembershipOptions options, TimeProvider time)
{
    private long _graceUntil = long.MinValue;
    private bool _keepsAbsent;
    private (DateTime Theirs, long Ours)? _clocks;

    public bool IsInGrace => time.GetTimestamp() < _graceUntil;

    /// <param name="keepAbsent">Whether who has no row stays in the list meanwhile, expected to put it back.</param>
    public void StartGrace(bool keepAbsent)
    {
        _keepsAbsent = keepAbsent || (IsInGrace && _keepsAbsent);
        _graceUntil = time.GetTimestamp() + (long)(options.Grace.TotalSeconds * time.TimestampFrequency);
    }

    public bool IsStale(BrokerRow row) => row.Age > options.SuspectAfter;

    /// <param name="self">Always a member, and never suspect, whatever the rows say.</param>
    /// <param name="known">The list so far.</param>
    /// <param name="rows">What the table has.</param>
    public IEnumerable<BrokerMember> Judge(BrokerMember self, IReadOnlyList<BrokerMember> known, IReadOnlyList<BrokerRow> rows)
    {
        var inGrace = IsInGrace;
        foreach (var row in rows.Where(r => r.Member.Id != self.Id && (inGrace || r.Age <= options.DropAfter)))
        {
            var before = known.FirstOrDefault(m => m.Id == row.Member.Id && m.Incarnation == row.Member.Incarnation);
            yield return row.Member with { IsSuspect = IsStale(row) && (!inGrace || before is null || before.IsSuspect) };
        }

        foreach (var member in known.Where(m => inGrace && _keepsAbsent && m.Id != self.Id && rows.All(r => r.Member.Id != m.Id)))
        {
            yield return member;
        }

        yield return self;
    }

    /// <summary>Starts a grace when the database's clock was set forward, or its machine slept: every lease looks old until it is renewed.</summary>
    public void CompareClocks(IReadOnlyList<BrokerRow> rows)
    {
        if (rows.Count == 0)
        {
            return;
        }

        var (theirs, ours) = (rows[0].Lease + rows[0].Age, time.GetTimestamp());
        if (_clocks is var (theirsBefore, oursBefore) && theirs - theirsBefore - time.GetElapsedTime(oursBefore, ours) > options.SuspectAfter / 2)
        {
            StartGrace(keepAbsent: false);
        }

        _clocks = (theirs, ours);
    }
}
