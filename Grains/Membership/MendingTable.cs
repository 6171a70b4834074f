using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Whip.Protocol.Legs;

namespace Whip.Grains.Membership;

/// <summary>
/// The membership table of one silo. If a read lacks something that this silo has seen, the table is mended before Orleans gets the result, because
/// Orleans takes a silo without a row for dead, even itself. A dead silo no longer reads or writes, nor does one that was not admitted: Orleans adds a
/// row for it when its parts are stopped, and the others would take that for a later silo at the same address. What Orleans does with a result leaves
/// the engine of the database's sockets.
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
    private volatile bool _isAdmitted;
    private MembershipTableData _last = new(new TableVersion(0, "0"));

    /// <summary><c>admit</c> gets the rows before this silo adds its own, and fails if it must not join.</summary>
    public MendingTable(
        ISiloStore store, IServiceProvider silo, Func<bool> isDead, Func<MembershipTableData, CancellationToken, Task> admit, TimeProvider time, ILogger log)
    {
        // Membership and witness are resolved from the services later: both need the table first.
        (_store, _table, _silo, _isDead, _admit, _log) = (store, store.Open(silo), silo, isDead, admit, log);
        _self = silo.GetRequiredService<ILocalSiloDetails>().SiloAddress;
        _rows = new KnownRows(silo.GetRequiredService<IOptions<ClusterMembershipOptions>>().Value.DefunctSiloMinimumRetention, time);
    }

    private bool IsOut => !_isAdmitted || _isDead();

    public async Task InitializeMembershipTableAsync(bool tryInitTableVersion, CancellationToken cancellationToken)
    {
        await _table.InitializeMembershipTableAsync(tryInitTableVersion, cancellationToken);
        await _admit(await EngineThread.LeaveAfter(_table.ReadAllAsync(cancellationToken)), cancellationToken);
        _isAdmitted = true;
    }

    public async Task<MembershipTableData> ReadAllAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; !IsOut; attempt++)
        {
            // The view before the read, so that what is added to the table in between is not missed.
            var view = _silo.GetRequiredService<IClusterMembershipService>().CurrentSnapshot;
            var read = await ReadOrNullAsync(cancellationToken);
            var seen = await WithoutOwnUnlessListedAsync(_rows.Of(view), view, read, cancellationToken);
            if (read is not null && seen.MissingIn(Statuses(read), read.Version.Version) is null)
            {
                _rows.Learn(read, view);
                return _last = read;
            }

            if (attempt == Attempts)
            {
                throw new OrleansException("the table of silos loses its rows as often as they are put back");
            }

            if (await EngineThread.LeaveAfter(_store.MendAsync(seen, acceptNewer: true, cancellationToken)) is { } mending)
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
        IsOut || Learn(entry, await EngineThread.LeaveAfter(_table.InsertRowAsync(entry, tableVersion, cancellationToken)));

    public async Task<bool> UpdateRowAsync(MembershipEntry entry, string etag, TableVersion tableVersion, CancellationToken cancellationToken) =>
        IsOut || Learn(entry, await EngineThread.LeaveAfter(_table.UpdateRowAsync(entry, etag, tableVersion, cancellationToken)));

    public Task UpdateIAmAliveAsync(MembershipEntry entry, CancellationToken cancellationToken) =>
        IsOut ? Task.CompletedTask : _table.UpdateIAmAliveAsync(entry, cancellationToken);

    public Task CleanupDefunctSiloEntriesAsync(DateTimeOffset beforeDate, CancellationToken cancellationToken) =>
        IsOut ? Task.CompletedTask : _table.CleanupDefunctSiloEntriesAsync(beforeDate, cancellationToken);

    public Task DeleteMembershipTableEntriesAsync(string clusterId, CancellationToken cancellationToken) =>
        _table.DeleteMembershipTableEntriesAsync(clusterId, cancellationToken);

    Task IMembershipTable.InitializeMembershipTable(bool tryInitTableVersion) => InitializeMembershipTableAsync(tryInitTableVersion, CancellationToken.None);

    Task<MembershipTableData> IMembershipTable.ReadAll() => ReadAllAsync(CancellationToken.None);

    Task<MembershipTableData> IMembershipTable.ReadRow(SiloAddress key) => ReadRowAsync(key, CancellationToken.None);

    Task<bool> IMembershipTable.InsertRow(MembershipEntry entry, TableVersion tableVersion) => InsertRowAsync(entry, tableVersion, CancellationToken.None);

    Task<bool> IMembershipTable.UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) =>
        UpdateRowAsync(entry, etag, tableVersion, CancellationToken.None);

    Task IMembershipTable.UpdateIAmAlive(MembershipEntry entry) => UpdateIAmAliveAsync(entry, CancellationToken.None);

    Task IMembershipTable.CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => CleanupDefunctSiloEntriesAsync(beforeDate, CancellationToken.None);

    Task IMembershipTable.DeleteMembershipTableEntries(string clusterId) => DeleteMembershipTableEntriesAsync(clusterId, CancellationToken.None);

    private static Dictionary<SiloAddress, SiloStatus> Statuses(MembershipTableData read) =>
        read.Members.ToDictionary(row => row.Item1.SiloAddress, row => row.Item1.Status);

    /// <returns>Null if a part of the table is missing.</returns>
    private async Task<MembershipTableData?> ReadOrNullAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await EngineThread.LeaveAfter(_table.ReadAllAsync(cancellationToken));
        }
        catch (Exception error) when (_store.IsGone(error))
        {
            return null;
        }
    }

    /// <summary>
    /// A silo that was frozen may have been declared dead and its row removed: if it knows of others, it puts its own row back only while one of them
    /// lists it. Without the row Orleans ends the silo, and its broker starts another one.
    /// </summary>
    private async Task<SeenSilos> WithoutOwnUnlessListedAsync(
        SeenSilos rows, ClusterMembershipSnapshot view, MembershipTableData? read, CancellationToken cancellationToken)
    {
        var isAlone = !view.Members.Values.Any(IsActiveOther);
        var isMissing = read?.TryGet(_self) is null && rows.Rows.Any(row => row.SiloAddress.Equals(_self));
        if (isAlone || !isMissing || await _silo.GetRequiredService<ISiloWitness>().IsListedAsync(_self, cancellationToken))
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

/// <summary>Asks the other silos about this one, which does not know that it was declared dead while it was frozen.</summary>
internal interface ISiloWitness
{
    /// <summary>Whether another silo, asked within the last 1.5 s, has answered that this one is active.</summary>
    Task<bool> IsListedAsync(SiloAddress silo, CancellationToken cancellationToken);
}
