using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Whip.Grains.Membership;

/// <summary>
/// The membership table as one silo sees it: a read that lacks what this silo has seen is mended before Orleans gets it, since Orleans takes
/// a row that is missing for a silo that died, its own included. A silo that died reads and writes nothing any more.
/// </summary>
internal sealed class MendingTable : IMembershipTable
{
    private const int Attempts = 3;

    private readonly ISiloStore _store;
    private readonly IMembershipTable _table;
    private readonly IServiceProvider _silo;
    private readonly Func<bool> _isDead;
    private readonly Func<MembershipTableData, CancellationToken, Task> _admit;
    private readonly ILogger _log;
    private readonly SiloAddress _self;
    private readonly KnownRows _rows;
    private MembershipTableData _last = new(new TableVersion(0, "0"));

    /// <param name="store">Where the rows are.</param>
    /// <param name="silo">Asked for its membership and its <see cref="ISiloWitness"/> later: both need the table first.</param>
    /// <param name="isDead">Whether the silo has ended; it does not come back.</param>
    /// <param name="admit">Shown what the table has before this silo changes it; fails if the silo must not enter.</param>
    /// <param name="time">The clock, as Orleans reads it.</param>
    /// <param name="log">The broker's, not that of Orleans.</param>
    public MendingTable(
        ISiloStore store, IServiceProvider silo, Func<bool> isDead, Func<MembershipTableData, CancellationToken, Task> admit, TimeProvider time, ILogger log)
    {
        (_store, _table, _silo, _isDead, _admit, _log) = (store, store.Open(silo), silo, isDead, admit, log);
        _self = silo.GetRequiredService<ILocalSiloDetails>().SiloAddress;
        _rows = new KnownRows(silo.GetRequiredService<IOptions<ClusterMembershipOptions>>().Value.DefunctSiloMinimumRetention, time);
    }

    public async Task InitializeMembershipTableAsync(bool tryInitTableVersion, CancellationToken cancellationToken)
    {
        await _table.InitializeMembershipTableAsync(tryInitTableVersion, cancellationToken);
        await _admit(await _table.ReadAllAsync(cancellationToken), cancellationToken);
    }

    public async Task<MembershipTableData> ReadAllAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; !_isDead(); attempt++)
        {
            // Looked at before the read: what the table gains meanwhile is not missing in it.
            var view = _silo.GetRequiredService<IClusterMembershipService>().CurrentSnapshot;
            var read = await ReadOrNullAsync(cancellationToken);
            var own = await WithoutOwnUnlessListedAsync(_rows.Of(view), view, read, cancellationToken);
            if (read is not null && own.MissingIn(read.Members.ToDictionary(row => row.Item1.SiloAddress, row => row.Item1.Status), read.Version.Version) is null)
            {
                _rows.Learn(read, view);
                return _last = read;
            }

            if (attempt == Attempts)
            {
                throw new OrleansException("the table of silos loses its rows as often as they are put back");
            }

            if (await _store.MendAsync(own, acceptNewer: true, cancellationToken) is { } mending)
            {
                MembershipLog.Mended(_log, mending.Added.Count, mending.Raised.Count, mending.Version);
            }
        }

        return _last;
    }

    public async Task<MembershipTableData> ReadRowAsync(SiloAddress key, CancellationToken cancellationToken)
    {
        var all = await ReadAllAsync(cancellationToken);
        return all.TryGet(key) is { } row ? new MembershipTableData(row, all.Version) : new MembershipTableData(all.Version);
    }

    public async Task<bool> InsertRowAsync(MembershipEntry entry, TableVersion tableVersion, CancellationToken cancellationToken) =>
        _isDead() || Learn(entry, await _table.InsertRowAsync(entry, tableVersion, cancellationToken));

    public async Task<bool> UpdateRowAsync(MembershipEntry entry, string etag, TableVersion tableVersion, CancellationToken cancellationToken) =>
        _isDead() || Learn(entry, await _table.UpdateRowAsync(entry, etag, tableVersion, cancellationToken));

    public Task UpdateIAmAliveAsync(MembershipEntry entry, CancellationToken cancellationToken) =>
        _isDead() ? Task.CompletedTask : _table.UpdateIAmAliveAsync(entry, cancellationToken);

    public Task CleanupDefunctSiloEntriesAsync(DateTimeOffset beforeDate, CancellationToken cancellationToken) =>
        _isDead() ? Task.CompletedTask : _table.CleanupDefunctSiloEntriesAsync(beforeDate, cancellationToken);

    public Task DeleteMembershipTableEntriesAsync(string clusterId, CancellationToken cancellationToken) =>
        _table.DeleteMembershipTableEntriesAsync(clusterId, cancellationToken);

    Task IMembershipTable.InitializeMembershipTable(bool tryInitTableVersion) => InitializeMembershipTableAsync(tryInitTableVersion, CancellationToken.None);

    Task<MembershipTableData> IMembershipTable.ReadAll() => ReadAllAsync(CancellationToken.None);

    Task<MembershipTableData> IMembershipTable.ReadRow(SiloAddress key) => ReadRowAsync(key, CancellationToken.None);

    Task<bool> IMembershipTable.InsertRow(MembershipEntry entry, TableVersion tableVersion) => InsertRowAsync(entry, tableVersion, CancellationToken.None);

    Task<bool> IMembershipTable.UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) => UpdateRowAsync(entry, etag, tableVersion, CancellationToken.None);

    Task IMembershipTable.UpdateIAmAlive(MembershipEntry entry) => UpdateIAmAliveAsync(entry, CancellationToken.None);

    Task IMembershipTable.CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => CleanupDefunctSiloEntriesAsync(beforeDate, CancellationToken.None);

    Task IMembershipTable.DeleteMembershipTableEntries(string clusterId) => DeleteMembershipTableEntriesAsync(clusterId, CancellationToken.None);

    /// <summary>Null: a part of the table is gone.</summary>
    private async Task<MembershipTableData?> ReadOrNullAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _table.ReadAllAsync(cancellationToken);
        }
        catch (Exception error) when (_store.IsGone(error))
        {
            return null;
        }
    }

    /// <summary>
    /// A silo that was frozen may have been declared dead and its row removed: while it knows of others, one of them has to list it before it
    /// puts its own row back. Without the row Orleans ends it, and its broker becomes another silo.
    /// </summary>
    private async Task<SeenSilos> WithoutOwnUnlessListedAsync(SeenSilos rows, ClusterMembershipSnapshot view, MembershipTableData? read, CancellationToken cancellationToken)
    {
        var isAlone = !view.Members.Values.Any(IsActiveOther);
        if (isAlone || read?.TryGet(_self) is not null || !rows.Rows.Any(row => row.SiloAddress.Equals(_self)) || await _silo.GetRequiredService<ISiloWitness>().IsListedAsync(_self, cancellationToken))
        {
            return rows;
        }

        MembershipLog.NotListed(_log, _self.ToString());
        return rows with { Rows = [.. rows.Rows.Where(row => !row.SiloAddress.Equals(_self))] };
    }

    private bool IsActiveOther(ClusterMember member) => member.Status == SiloStatus.Active && !member.SiloAddress.Equals(_self);

    private bool Learn(MembershipEntry entry, bool isWritten)
    {
        if (isWritten)
        {
            _rows.Learn(entry);
        }

        return isWritten;
    }
}
