using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Grains.Members;
using Whip.Grains.Membership;
using Whip.Grains.Silos;
using Whip.Registry.Routes;

namespace Whip.Tests.Grains.Membership;

/// <summary>Real silos of this process whose table is damaged: none of them ends for it.</summary>
public abstract class MendingSilosTests : IAsyncLifetime
{
    private DamagedStore? _damaged;
    private SiloTestCluster? _cluster;

    private DamagedStore Damaged => _damaged!;

    private SiloTestCluster Cluster => _cluster!;

    private protected abstract Task<DamagedStore> CreateStoreAsync();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await (_cluster?.DisposeAsync() ?? ValueTask.CompletedTask);

    [SkippableTheory]
    [InlineData("rows removed")]
    [InlineData("version removed")]
    [InlineData("dropped")]
    [InlineData("an old backup")]
    public async Task Silos_whose_table_is_damaged_go_on_and_are_found_by_new_ones(string damage)
    {
        var (one, two) = await StartTwoAsync();
        var (first, second) = (one.Address, two.Address);
        await (damage switch
        {
            "rows removed" => Damaged.RemoveRowsAsync(),
            "version removed" => Damaged.RemoveVersionAsync(),
            "dropped" => Damaged.DropAsync(),
            _ => RestoreAsync(),
        });
        await Cluster.Logs.WaitForAsync("Mended");
        var three = await Cluster.AddAsync("b3");
        await SeeAsync("b1 b2 b3", one, two, three);
        Assert.Equal((first, second), (one.Address, two.Address));
    }

    [SkippableFact]
    public async Task A_silo_joins_while_its_table_is_dropped()
    {
        var one = await StartAsync();
        var first = one.Address;
        var two = Cluster.Create("b2");
        two.Grains.Start();
        while (!two.Grains.Joined.IsCompleted)
        {
            await Damaged.DropAsync();
            await Task.WhenAny(two.Grains.Joined, Task.Delay(TimeSpan.FromMilliseconds(400)));
        }

        await SeeAsync("b1 b2", one, two);
        Assert.Equal(first, one.Address);
    }

    [SkippableFact]
    public async Task A_silo_leaves_while_its_table_is_gone()
    {
        var (one, two) = await StartTwoAsync();
        var (first, second) = (one.Address, two.Address);
        await Damaged.DropAsync();
        await Cluster.StopAsync(two);
        await SeeAsync("b1", one);
        Assert.Equal(first, one.Address);
        await one.ReadTableAsync();
        var rows = (await Damaged.ReadAsync()).Members.ToDictionary(row => row.Item1.SiloAddress, row => row.Item1.Status);
        Assert.Equal(SiloStatus.Active, rows[first]);
        Assert.Contains(rows.GetValueOrDefault(second), new[] { SiloStatus.None, SiloStatus.Dead });
    }

    [SkippableFact]
    public async Task A_silo_that_is_declared_dead_is_followed_by_another()
    {
        var (one, two) = await StartTwoAsync();
        var first = one.Address;
        await Damaged.KillAsync(first);
        await Patience.UntilAsync(() => one.Grains.Silo is { } now && !now.Address.Equals(first), "another silo of b1");
        await SeeAsync("b1 b2", one, two);
    }

    private static Task SeeAsync(string ids, params TestedSilo[] silos) =>
        Patience.UntilAsync(() => silos.All(silo => silo.Sees == ids), $"the silos {ids}");

    /// <summary>A backup from before any of them joined.</summary>
    private async Task RestoreAsync()
    {
        await Damaged.RemoveRowsAsync();
        await Damaged.SetVersionAsync(0);
    }

    private async Task<TestedSilo> StartAsync()
    {
        _damaged = await CreateStoreAsync();
        _cluster = new SiloTestCluster(_damaged.Store);
        return await _cluster.AddAsync("b1");
    }

    private async Task<(TestedSilo One, TestedSilo Two)> StartTwoAsync()
    {
        var silos = (One: await StartAsync(), Two: await Cluster.AddAsync("b2"));
        await SeeAsync("b1 b2", silos.One, silos.Two);
        return silos;
    }
}

public sealed class MemorySilosTests : MendingSilosTests
{
    private protected override Task<DamagedStore> CreateStoreAsync() => Task.FromResult<DamagedStore>(new DamagedMemory());

    /// <summary>Orleans would wait up to a minute for a table that takes its death, before another silo can start.</summary>
    [Fact]
    public async Task A_silo_that_was_declared_dead_ends_without_its_table()
    {
        var store = new MemoryStore();
        await store.MendAsync(SeenSilos.None, acceptNewer: false, default);
        await using var cluster = new SiloTestCluster(store);
        var silo = CreateOfAnotherProcess(cluster);
        await silo.StartAsync(default);
        store.Kill(silo.Address);
        await silo.Died.WaitAsync(Patience.Long);
        store.IsAway = true;
        var calls = store.Calls;
        await silo.DisposeAsync();
        Assert.Equal(calls, store.Calls);
    }

    /// <summary>A row of it, at the address of a running silo, would be taken for that one's successor.</summary>
    [Fact]
    public async Task A_silo_that_is_refused_leaves_no_row()
    {
        var store = new MemoryStore();
        await store.MendAsync(SeenSilos.None, acceptNewer: false, default);
        await using var cluster = new SiloTestCluster(store);
        await cluster.AddAsync("b1");
        var silo = CreateOfAnotherProcess(cluster);
        await Assert.ThrowsAnyAsync<Exception>(() => silo.StartAsync(default).WaitAsync(Patience.Long));
        await silo.DisposeAsync();
        Assert.Single((await store.ReadAll()).Members);
    }

    /// <summary>Orleans does not stop the parts of such a silo, and its grain directory would keep a core busy for ever.</summary>
    [Fact]
    public async Task A_silo_whose_start_is_given_up_leaves_nothing_running()
    {
        var store = new MemoryStore();
        await store.MendAsync(SeenSilos.None, acceptNewer: false, default);
        var silent = new MembershipEntry
        {
            SiloAddress = SiloAddress.New(IPAddress.Loopback, FreePort.Find(1)[0], 1),
            SiloName = "b2",
            HostName = "b2",
            Status = SiloStatus.Active,
            StartTime = DateTime.UtcNow,
            IAmAliveTime = DateTime.UtcNow,
        };
        Assert.True(await store.InsertRow(silent, (await store.ReadAll()).Version.Next()));
        await using var cluster = new SiloTestCluster(store);
        var silo = CreateOfAnotherProcess(cluster);
        using var givenUp = new CancellationTokenSource();
        var starting = silo.StartAsync(givenUp.Token);
        await Patience.UntilAsync(() =>
            silo.Lifecycle.HighestCompletedStage >= ServiceLifecycleStage.RuntimeGrainServices, "a silo that waits for the silent one");
        await givenUp.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => starting.WaitAsync(Patience.Long));
        await silo.DisposeAsync();
        Assert.True(silo.Lifecycle.LowestStoppedStage < ServiceLifecycleStage.RuntimeServices, $"{silo.Lifecycle.LowestStoppedStage}");
    }

    private static RunningSilo CreateOfAnotherProcess(SiloTestCluster cluster)
    {
        var facts = new BrokerFacts { BrokerId = "b1", Process = Guid.NewGuid() };
        var members = new MemberTable(facts, TableSilo.ClusterId, NullLogger.Instance, TimeProvider.System);
        return RunningSilo.Create(cluster.SetUp("b1"), new LocalRoutes(100), members, NullLoggerFactory.Instance, TimeProvider.System);
    }
}

public sealed class PostgresSilosTests : MendingSilosTests
{
    private static readonly string[] Flags =
    [
        "--tls=false", "--cluster-id", TableSilo.ClusterId, "--grpc-listen", "127.0.0.1:0", "--tcp-listen", "127.0.0.1:0", "--dial-listen", "127.0.0.1:0",
        "--metrics-listen", "127.0.0.1:0", "--admin-listen", "", .. TestedEngine.Flags,
    ];

    private protected override async Task<DamagedStore> CreateStoreAsync() => await DamagedPostgres.CreateAsync();

    [SkippableFact]
    public async Task A_broker_that_is_older_than_the_schema_ends_with_exit_code_2()
    {
        var database = await DamagedPostgres.CreateAsync();
        await database.Store.MendAsync(SeenSilos.None, acceptNewer: false, default);
        await database.ExecuteAsync("INSERT INTO whip_orleans.schema_version VALUES (1000)");
        await using var broker = Start(database);
        broker.Expect("newer");
        Assert.Equal(2, await broker.ExitCodeAsync());
        Assert.Contains(broker.Error, line => line.Contains("schema whip_orleans has version 1000, newer than", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task A_broker_starts_on_the_database_that_a_cluster_of_the_version_before_has_left()
    {
        var database = await DamagedPostgres.CreateAsync();
        await database.LeaveOldSchemaAsync();
        await using var broker = Start(database);
        await broker.ReadyAsync();
        Assert.Equal("3", $"{await database.ScalarAsync("SELECT status FROM whip_orleans.silo WHERE name = 'b1'")}");
        Assert.Equal("old", await database.ScalarAsync("SELECT string_agg(broker_id, ' ') FROM whip.broker"));
    }

    [SkippableFact]
    public async Task A_silo_that_was_frozen_does_not_return_though_its_table_is_dropped()
    {
        var database = await DamagedPostgres.CreateAsync();
        await using var one = Start(database);
        await using var two = Start(database, "b2");
        await Task.WhenAll(one.ReadyAsync(), two.ReadyAsync());
        await Patience.UntilAsync(() => Sees(one) == "b1, b2" && Sees(two) == "b1, b2", "two silos that see each other");
        var frozen = (await ActiveAsync(database, "b2"))!;
        two.Signal(ProcessSignal.Stop);
        await database.KillAsync(frozen);
        await Patience.UntilAsync(() => Sees(one) == "b1", "b1 without b2");
        await database.DropAsync();
        two.Signal(ProcessSignal.Continue);
        await Patience.UntilAsync(async () => await ActiveAsync(database, "b2") is { } now && !now.Equals(frozen), "another silo of b2");
        Assert.NotEqual(SiloStatus.Active, (await database.ReadAsync()).TryGet(frozen)?.Item1.Status);
    }

    /// <summary>As its log has it.</summary>
    private static string? Sees(WhipProcess broker) =>
        broker.Error.LastOrDefault(line => line.Contains(" sees: ", StringComparison.Ordinal))?.Split(" sees: ")[1];

    private static async Task<SiloAddress?> ActiveAsync(DamagedPostgres database, string id) =>
        (await database.ReadAsync()).Members.Select(row => row.Item1)
            .SingleOrDefault(row => row.SiloName == id && row.Status == SiloStatus.Active)?.SiloAddress;

    private static WhipProcess Start(DamagedPostgres database, string id = "b1") =>
        WhipProcess.Start("whip-broker", [.. Flags, "--broker-id", id], new Dictionary<string, string> { ["WHIP_POSTGRES"] = database.Database });
}
