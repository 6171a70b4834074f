using Whip.Grains.Membership;

namespace Whip.Tests.Grains.Membership;

/// <summary>A table of silos in memory, shared by silos of this process. Versions are checked as the statements in PostgreSQL do. Owner: the lock.</summary>
internal sealed class MemoryStore : ISiloStore, IMembershipTable
{
    private readonly Lock _lock = new();
    private Dictionary<SiloAddress, MembershipEntry> _rows = [];
    private int? _version;

    /// <summary>Every call fails meanwhile.</summary>
    public bool IsAway { get; set; }

    /// <summary>How often it was asked for anything.</summary>
    public int Calls { get; private set; }

    public string Name => "the table in memory";

    public void RemoveRows() => Change(() => _rows.Clear());

    public void RemoveVersion() => Change(() => _version = null);

    public void SetVersion(int version) => Change(() => _version = version);

    public void Drop() => Change(() => (_rows, _version) = ([], null));

    /// <summary>Takes one silo for dead, as the others do with one that does not answer them.</summary>
    public void Kill(SiloAddress silo) => Change(() => (_rows[silo].Status, _version) = (SiloStatus.Dead, _version + 1));

    public IMembershipTable Open(IServiceProvider silo) => this;

    public bool IsGone(Exception error) => error is KeyNotFoundException;

    public Task<Mending?> MendAsync(SeenSilos seen, bool acceptNewer, CancellationToken cancellationToken) => Answer(() =>
    {
        _version ??= 0;
        var mending = seen.MissingIn(_rows.ToDictionary(row => row.Key, row => row.Value.Status), _version.Value);
        foreach (var row in mending?.Added ?? [])
        {
            _rows.Add(row.SiloAddress, Copy(row));
        }

        foreach (var row in mending?.Raised ?? [])
        {
            _rows[row.SiloAddress].Status = row.Status;
        }

        _version = mending?.Version ?? _version;
        return mending;
    });

    public Task InitializeMembershipTable(bool tryInitTableVersion) => Answer(() => _version ??= 0);

    public Task<MembershipTableData> ReadAll() => Answer(() =>
    {
        var version = _version ?? throw new KeyNotFoundException("there is no version");
        return new MembershipTableData([.. _rows.Values.Select(row => Tuple.Create(Copy(row), $"{version}"))], new TableVersion(version, $"{version}"));
    });

    public async Task<MembershipTableData> ReadRow(SiloAddress key)
    {
        var all = await ReadAll();
        return all.TryGet(key) is { } row ? new MembershipTableData(row, all.Version) : new MembershipTableData(all.Version);
    }

    public Task<bool> InsertRow(MembershipEntry entry, TableVersion tableVersion) =>
        Answer(() => !_rows.ContainsKey(entry.SiloAddress) && Write(entry, tableVersion));

    public Task<bool> UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) =>
        Answer(() => _rows.ContainsKey(entry.SiloAddress) && Write(entry, tableVersion));

    public Task UpdateIAmAlive(MembershipEntry entry) => Answer(() =>
    {
        if (_rows.TryGetValue(entry.SiloAddress, out var row))
        {
            row.IAmAliveTime = entry.IAmAliveTime;
        }

        return true;
    });

    public Task CleanupDefunctSiloEntries(DateTimeOffset beforeDate) =>
        Answer(() => _rows = _rows.Where(row => row.Value.Status != SiloStatus.Dead || row.Value.IAmAliveTime >= beforeDate).ToDictionary());

    public Task DeleteMembershipTableEntries(string clusterId) => Answer(() => (_rows, _version) = ([], null));

    private static MembershipEntry Copy(MembershipEntry row) => new()
    {
        SiloAddress = row.SiloAddress,
        SiloName = row.SiloName,
        HostName = row.HostName,
        Status = row.Status,
        ProxyPort = row.ProxyPort,
        SuspectTimes = row.SuspectTimes?.ToList(),
        StartTime = row.StartTime,
        IAmAliveTime = row.IAmAliveTime,
    };

    private bool Write(MembershipEntry entry, TableVersion next)
    {
        if (next.VersionEtag != $"{_version}")
        {
            return false;
        }

        (_rows[entry.SiloAddress], _version) = (Copy(entry), next.Version);
        return true;
    }

    private void Change(Action change)
    {
        lock (_lock)
        {
            change();
        }
    }

    private Task<T> Answer<T>(Func<T> answer)
    {
        try
        {
            lock (_lock)
            {
                Calls++;
                return IsAway ? throw new IOException("the table is away") : Task.FromResult(answer());
            }
        }
        catch (Exception error) when (error is IOException or KeyNotFoundException)
        {
            return Task.FromException<T>(error);
        }
    }
}
