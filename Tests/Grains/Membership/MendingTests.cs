using Whip.Grains.Membership;

namespace Whip.Tests.Grains.Membership;

/// <summary>Each rule by which a silo mends the membership table, the same for every store.</summary>
public abstract class MendingTests
{
    private DamagedStore _damaged = null!;

    private ISiloStore Store => _damaged.Store;

    private protected abstract Task<DamagedStore> CreateStoreAsync();

    [SkippableFact]
    public async Task Rows_that_are_gone_are_put_back_with_their_status()
    {
        var (a, b, c) = await StartAsync();
        await a.WriteAsync(c.SiloAddress, SiloStatus.Dead);
        await a.WriteAsync(b.SiloAddress, SiloStatus.ShuttingDown);
        var version = a.CurrentSnapshot.Version.Value;
        await _damaged.RemoveRowsAsync();
        await AssertRowsAsync(a, version + 1, "a Active", "b ShuttingDown", "c Dead");
        Assert.Equal("host", (await a.ReadAsync()).TryGet(b.SiloAddress)!.Item1.HostName);
    }

    [SkippableFact]
    public async Task A_silo_that_no_other_lists_does_not_put_back_its_own_row()
    {
        var (a, _, _) = await StartAsync();
        a.IsListed = false;
        await _damaged.RemoveRowsAsync();
        await AssertRowsAsync(a, a.CurrentSnapshot.Version.Value + 1, "b Active", "c Active");
    }

    [SkippableFact]
    public async Task A_silo_that_knows_no_other_puts_back_its_own_row()
    {
        var a = await StartAsync("a");
        await _damaged.DropAsync();
        await AssertRowsAsync(a, a.CurrentSnapshot.Version.Value + 1, "a Active");
        Assert.Equal(0, a.Questions);
    }

    [SkippableFact]
    public async Task A_silo_that_was_frozen_does_not_return_by_mending()
    {
        var (frozen, b, _) = await StartAsync();
        frozen.IsListed = false;
        await b.WriteAsync(frozen.SiloAddress, SiloStatus.Dead);
        var version = (int)b.CurrentSnapshot.Version.Value;
        await AssertRowsAsync(frozen, version, "a Dead", "b Active", "c Active");

        // The row was removed too, as Orleans does with old ones.
        var late = new TableSilo(Store, "d");
        await late.JoinAsync();
        await _damaged.RemoveRowsAsync();
        await b.ReadAsync();
        await AssertRowsAsync(late, null, "a Dead", "b Active", "c Active", "d Active");
    }

    [SkippableFact]
    public async Task A_row_only_takes_a_later_status()
    {
        var (a, b, c) = await StartAsync();
        await a.WriteAsync(b.SiloAddress, SiloStatus.Dead);
        await c.ReadAsync();
        await c.WriteAsync(c.SiloAddress, SiloStatus.Stopping);

        // A backup from when all were active, which a silo that knows less has mended first.
        await _damaged.DropAsync();
        var late = new TableSilo(Store, "d");
        await late.JoinAsync();
        await Store.MendAsync(new SeenSilos([.. new[] { a, b }.Select(silo => Row(silo, SiloStatus.Active)), Row(c, SiloStatus.Dead)], 1), acceptNewer: false,
            default);
        await AssertRowsAsync(a, null, "a Active", "b Dead", "c Dead", "d Active");
    }

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(1_000)]
    public async Task The_version_is_above_what_was_read_and_what_was_seen(int version)
    {
        var a = await StartAsync("a");
        var b = new TableSilo(Store, "b");
        await b.JoinAsync();
        await a.ReadAsync();
        var seen = (int)a.CurrentSnapshot.Version.Value;
        await _damaged.RemoveRowsAsync();
        await _damaged.SetVersionAsync(version);
        await AssertRowsAsync(a, Math.Max(version, seen) + 1, "a Active", "b Active");
    }

    [SkippableFact]
    public async Task A_version_below_what_was_seen_is_raised_though_no_row_is_missing()
    {
        var (a, _, _) = await StartAsync();
        var seen = a.CurrentSnapshot.Version.Value;
        await _damaged.SetVersionAsync(1);
        await AssertRowsAsync(a, seen + 1, "a Active", "b Active", "c Active");
    }

    [SkippableFact]
    public async Task A_second_mender_finds_nothing_to_do()
    {
        var (a, b, c) = await StartAsync();
        await _damaged.DropAsync();
        await a.ReadAsync();
        var version = a.CurrentSnapshot.Version.Value;
        await AssertRowsAsync(b, version, "a Active", "b Active", "c Active");
        Assert.Equal(0, b.Mendings);
        var rows = new[] { a, b, c }.Select(silo => Row(silo, SiloStatus.Active)).ToList();
        Assert.Null(await Store.MendAsync(new SeenSilos(rows, (int)version), acceptNewer: true, default));
        await AssertRowsAsync(c, version, "a Active", "b Active", "c Active");
    }

    [SkippableFact]
    public async Task Two_menders_at_once_agree()
    {
        var (a, b, c) = await StartAsync();
        var version = a.CurrentSnapshot.Version.Value;
        for (var round = 1; round <= 10; round++)
        {
            await _damaged.DropAsync();
            await Task.WhenAll(new[] { a, b, c }.Select(silo => Task.Run(silo.ReadAsync))).WaitAsync(Patience.Long);
            foreach (var silo in new[] { a, b, c })
            {
                await AssertRowsAsync(silo, version + round, "a Active", "b Active", "c Active");
            }
        }
    }

    [SkippableFact]
    public async Task A_version_row_that_is_gone_fails_no_read()
    {
        var (a, _, _) = await StartAsync();
        await _damaged.RemoveVersionAsync();
        await AssertRowsAsync(a, a.CurrentSnapshot.Version.Value + 1, "a Active", "b Active", "c Active");
    }

    [SkippableFact]
    public async Task AStore_that_is_gone_fails_no_read()
    {
        var (a, _, _) = await StartAsync();
        await _damaged.DropAsync();
        await AssertRowsAsync(a, a.CurrentSnapshot.Version.Value + 1, "a Active", "b Active", "c Active");
    }

    [SkippableFact]
    public async Task A_read_that_lacks_nothing_costs_nothing_more()
    {
        var (a, b, c) = await StartAsync();
        await a.ReadAsync();
        await a.WriteAsync(b.SiloAddress, SiloStatus.Dead);
        await c.ReadAsync();
        Assert.All(new[] { a, b, c }, silo => Assert.Equal((0, 0), (silo.Mendings, silo.Questions)));
    }

    [SkippableFact]
    public async Task A_silo_that_joined_an_emptied_table_stays()
    {
        var (a, _, _) = await StartAsync();
        await _damaged.DropAsync();
        var late = new TableSilo(Store, "d");
        await late.JoinAsync();
        await AssertRowsAsync(late, 1, "d Active");
        await AssertRowsAsync(a, null, "a Active", "b Active", "c Active", "d Active");
        await AssertRowsAsync(late, null, "a Active", "b Active", "c Active", "d Active");
    }

    [SkippableFact]
    public async Task A_dead_silo_stays_away_when_its_row_is_old()
    {
        var (a, _, c) = await StartAsync();
        await a.WriteAsync(c.SiloAddress, SiloStatus.Dead);
        a.Time.Advance(TimeSpan.FromHours(2));
        await _damaged.RemoveRowsAsync();
        await AssertRowsAsync(a, null, "a Active", "b Active");
    }

    [SkippableFact]
    public async Task A_silo_that_ended_reads_and_writes_nothing()
    {
        var (a, b, _) = await StartAsync();
        var read = await a.ReadAsync();
        a.IsDead = true;
        await _damaged.DropAsync();
        Assert.Same(read, await a.ReadAsync());
        Assert.True(await a.Table.UpdateRowAsync(Row(a, SiloStatus.Dead), read.Version.VersionEtag, read.Version.Next(), default));
        await a.Table.UpdateIAmAliveAsync(Row(a, SiloStatus.Dead), default);
        Assert.Equal(0, a.Mendings);
        await AssertRowsAsync(b, null, "a Active", "b Active", "c Active");
    }

    [SkippableFact]
    public async Task One_row_is_read_as_all_are()
    {
        var (a, b, _) = await StartAsync();
        await _damaged.DropAsync();
        Assert.Equal("b", Assert.Single((await a.Table.ReadRowAsync(b.SiloAddress, default)).Members).Item1.SiloName);
        Assert.Empty((await a.Table.ReadRowAsync(new TableSilo(Store, "e").SiloAddress, default)).Members);
    }

    private static MembershipEntry Row(TableSilo silo, SiloStatus status) => new()
    {
        SiloAddress = silo.SiloAddress,
        SiloName = silo.Name,
        HostName = silo.DnsHostName,
        Status = status,
        StartTime = silo.Time.GetUtcNow().UtcDateTime,
        IAmAliveTime = silo.Time.GetUtcNow().UtcDateTime,
    };

    /// <summary>What the silo is given, and what the table has, which is the same.</summary>
    private async Task AssertRowsAsync(TableSilo silo, long? version, params string[] rows)
    {
        var read = await silo.ReadAsync();
        foreach (var data in new[] { read, await _damaged.ReadAsync() })
        {
            Assert.Equal(rows, data.Members.Select(row => $"{row.Item1.SiloName} {row.Item1.Status}").Order());
            Assert.Equal(version ?? read.Version.Version, data.Version.Version);
        }
    }

    private async Task<TableSilo> StartAsync(string name)
    {
        _damaged = await CreateStoreAsync();
        var silo = new TableSilo(Store, name);
        await silo.JoinAsync();
        return silo;
    }

    /// <summary>Three silos that know each other.</summary>
    private async Task<(TableSilo A, TableSilo B, TableSilo C)> StartAsync()
    {
        var a = await StartAsync("a");
        var (b, c) = (new TableSilo(Store, "b"), new TableSilo(Store, "c"));
        await b.JoinAsync();
        await c.JoinAsync();
        foreach (var silo in new[] { a, b, c })
        {
            await silo.ReadAsync();
        }

        return (a, b, c);
    }
}
