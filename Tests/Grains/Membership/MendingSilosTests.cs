using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Grains;
using Whip.Grains.Members;
using Whip.Grains.Membership;
using Whip.Grains.Silos;
using Whip.Protocol.Tls;
using Whip.Registry.Routes;

namespace Whip.Tests.Grains.Membership;

/// <summary>Real silos of this process whose table is damaged: none of them ends for it.</summary>
public abstract class MendingSilosTests : IAsyncLifetime
{
    private readonly CapturedLogs _logs = new();
    private readonly List<GrainCluster> _started = [];
    private DamagedStore _damaged = null!;

    private protected abstract Task<DamagedStore> CreateStoreAsync();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await Task.WhenAll(_started.Select(silo => silo.DisposeAsync().AsTask()));
        _logs.Dispose();
    }

    [SkippableTheory]
    [InlineData("rows removed")]
    [InlineData("version removed")]
    [InlineData("dropped")]
    [InlineData("an old backup")]
    public async Task Silos_whose_table_is_damaged_go_on_and_are_found_by_new_ones(string damage)
    {
        var (one, two) = (await StartAsync("b1"), await StartAsync("b2"));
        await SeeAsync("b1 b2", one, two);
        var (first, second) = (one.Silo!.Address, two.Silo!.Address);
        await (damage switch
        {
            "rows removed" => _damaged.RemoveRowsAsync(),
            "version removed" => _damaged.RemoveVersionAsync(),
            "dropped" => _damaged.DropAsync(),
            _ => RestoreAsync(),
        });
        await _logs.WaitForAsync("Mended");
        var three = await StartAsync("b3");
        await SeeAsync("b1 b2 b3", one, two, three);
        Assert.Equal((first, second), (one.Silo!.Address, two.Silo!.Address));
    }

    [SkippableFact]
    public async Task A_silo_joins_while_its_table_is_dropped()
    {
        var one = await StartAsync("b1");
        var first = one.Silo!.Address;
        var two = Start("b2");
        while (!two.Joined.IsCompleted)
        {
            await _damaged.DropAsync();
            await Task.WhenAny(two.Joined, Task.Delay(TimeSpan.FromMilliseconds(400)));
        }

        await SeeAsync("b1 b2", one, two);
        Assert.Equal(first, one.Silo!.Address);
    }

    [SkippableFact]
    public async Task A_silo_leaves_while_its_table_is_gone()
    {
        var (one, two) = (await StartAsync("b1"), await StartAsync("b2"));
        await SeeAsync("b1 b2", one, two);
        var (first, second) = (one.Silo!.Address, two.Silo!.Address);
        await _damaged.DropAsync();
        _started.Remove(two);
        await two.DisposeAsync().AsTask().WaitAsync(Patience.Long);
        await SeeAsync("b1", one);
        Assert.Equal(first, one.Silo!.Address);
        await Patience.UntilAsync(
            async () => (await _damaged.ReadAsync()).Members.ToDictionary(row => row.Item1.SiloAddress, row => row.Item1.Status) is var rows
                && rows.GetValueOrDefault(first) == SiloStatus.Active && rows.GetValueOrDefault(second) is SiloStatus.Dead or SiloStatus.None,
            "a table with the silo that stayed, and none that left");
    }

    [SkippableFact]
    public async Task A_silo_that_is_declared_dead_is_followed_by_another()
    {
        var (one, two) = (await StartAsync("b1"), await StartAsync("b2"));
        await SeeAsync("b1 b2", one, two);
        var first = one.Silo!.Address;
        await _damaged.KillAsync(first);
        await Patience.UntilAsync(() => one.Silo is { } now && !now.Address.Equals(first), "another silo of b1");
        await SeeAsync("b1 b2", one, two);
    }

    private static Task SeeAsync(string ids, params GrainCluster[] silos) =>
        Patience.UntilAsync(() => silos.All(silo => string.Join(' ', silo.Members.Silos) == ids), $"the silos {ids}");

    /// <summary>A backup from before any of them joined.</summary>
    private async Task RestoreAsync()
    {
        await _damaged.RemoveRowsAsync();
        await _damaged.SetVersionAsync(0);
    }

    private async Task<GrainCluster> StartAsync(string id)
    {
        _damaged ??= await CreateStoreAsync();
        var silo = Start(id);
        await silo.Joined.WaitAsync(Patience.Long);
        return silo;
    }

    private GrainCluster Start(string id)
    {
        var silo = new GrainCluster(Setup(id, _damaged.Store), new LocalRoutes(100), _logs, TimeProvider.System);
        silo.Members.Introduce($"{id}.test:50051", $"{id}.test:8000", $"{id}.test:8010");
        _started.Add(silo);
        silo.Start();
        return silo;
    }

    private protected static SiloSetup Setup(string id, ISiloStore store, TlsIdentity? tls = null)
    {
        var address = new IPEndPoint(IPAddress.Loopback, FreePort.Find(1)[0]);
        return new SiloSetup
        {
            ClusterId = TableSilo.ClusterId,
            BrokerId = id,
            Store = store,
            Listen = address,
            External = address,
            GatewayListen = null,
            Tls = tls,
        };
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
        var members = new MemberTable(new BrokerFacts { BrokerId = "b1", Process = Guid.NewGuid() }, TableSilo.ClusterId, NullLogger.Instance, TimeProvider.System);
        var silo = RunningSilo.Create(Setup("b1", store), new LocalRoutes(100), members, NullLoggerFactory.Instance, TimeProvider.System);
        await silo.StartAsync(default);
        store.Kill(silo.Address);
        await silo.Died.WaitAsync(Patience.Long);
        store.IsAway = true;
        var calls = store.Calls;
        await silo.DisposeAsync();
        Assert.Equal(calls, store.Calls);
    }

    [Fact]
    public async Task A_silo_with_a_certificate_of_another_CA_is_named_when_it_was_refused_three_times()
    {
        using var logs = new CapturedLogs();
        var store = new MemoryStore();
        var one = Setup("b1", store, TestCertificates.Shared.MemberIdentity(TableSilo.ClusterId, "b1"));
        await using var first = new GrainCluster(one, new LocalRoutes(100), logs, TimeProvider.System);
        first.Start();
        await first.Joined.WaitAsync(Patience.Long);
        var other = Setup("b2", store, new Certificates("another CA").MemberIdentity(TableSilo.ClusterId, "b2"));
        await using var second = new GrainCluster(other, new LocalRoutes(100), logs, TimeProvider.System);
        second.Start();
        var refused = await logs.WaitForAsync(record => record.Event.Name == "Refused" && record.Message.Contains($"{one.Listen}", StringComparison.Ordinal), "b1 is refused by b2");
        Assert.Contains("another CA, same --cluster-id?", refused.Message, StringComparison.Ordinal);
        Assert.False(second.Joined.IsCompleted);
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
    private static string? Sees(WhipProcess broker) => broker.Error.LastOrDefault(line => line.Contains(" sees: ", StringComparison.Ordinal))?.Split(" sees: ")[1];

    private static async Task<SiloAddress?> ActiveAsync(DamagedPostgres database, string id) =>
        (await database.ReadAsync()).Members.Select(row => row.Item1).SingleOrDefault(row => row.SiloName == id && row.Status == SiloStatus.Active)?.SiloAddress;

    private static WhipProcess Start(DamagedPostgres database, string id = "b1") =>
        WhipProcess.Start("whip-broker", [.. Flags, "--broker-id", id], new Dictionary<string, string> { ["WHIP_POSTGRES"] = database.Database });
}
