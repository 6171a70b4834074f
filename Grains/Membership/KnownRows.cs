using System.Collections.Immutable;

namespace Whip.Grains.Membership;

/// <summary>
/// The rows that a silo can put back: the silos of its present view, which gossip keeps up to date, with the columns that a view does not have as
/// the table had them last. A dead silo older than <paramref name="retention"/> is not put back, for Orleans removes its row. Owner: the lock.
/// </summary>
internal sealed class KnownRows(TimeSpan retention, TimeProvider time)
{
    private readonly Lock _lock = new();
    private ImmutableDictionary<SiloAddress, MembershipEntry> _known = ImmutableDictionary<SiloAddress, MembershipEntry>.Empty;

    public SeenSilos Of(ClusterMembershipSnapshot view)
    {
        var now = time.GetUtcNow().UtcDateTime;
        ImmutableDictionary<SiloAddress, MembershipEntry> known;
        lock (_lock)
        {
            known = _known;
        }

        // The first view of a silo has no version and only the silo itself, which is not in the table yet.
        var members = view.Members.Values.Where(member => member.Status >= SiloStatus.Joining);
        var rows = members.Select(member => Row(member, known.GetValueOrDefault(member.SiloAddress), now));
        return new SeenSilos(
            [.. rows.Where(row => row.Status == SiloStatus.Active || LastChange(row) > now - retention)], (int)Math.Max(0, view.Version.Value));
    }

    public void Learn(MembershipTableData read, ClusterMembershipSnapshot view)
    {
        lock (_lock)
        {
            var absent = _known.Where(row => view.Members.ContainsKey(row.Key) && read.TryGet(row.Key) is null);
            _known = read.Members.Select(row => KeyValuePair.Create(row.Item1.SiloAddress, row.Item1)).Concat(absent).ToImmutableDictionary();
        }
    }

    public void Learn(MembershipEntry row)
    {
        lock (_lock)
        {
            _known = _known.SetItem(row.SiloAddress, row);
        }
    }

    /// <summary>A silo that is active in the view is alive now, whatever the table has.</summary>
    private static MembershipEntry Row(ClusterMember member, MembershipEntry? known, DateTime now) => new()
    {
        SiloAddress = member.SiloAddress,
        SiloName = member.Name,
        Status = member.Status,
        HostName = known?.HostName ?? member.SiloAddress.Endpoint.Address.ToString(),
        ProxyPort = known?.ProxyPort ?? 0,
        SuspectTimes = known?.SuspectTimes,
        StartTime = known?.StartTime ?? now,
        IAmAliveTime = known is null || member.Status == SiloStatus.Active ? now : known.IAmAliveTime,
    };

    private static DateTime LastChange(MembershipEntry row) =>
        (row.SuspectTimes ?? []).Select(suspicion => suspicion.Item2).Append(row.StartTime).Append(row.IAmAliveTime).Max();
}
