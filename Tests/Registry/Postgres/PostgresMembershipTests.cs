using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Whip.Registry.Membership;
using Whip.Registry.Postgres;
using Whip.Tests.Registry.Membership;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Registry.Postgres;

/// <summary>The contract over PostgreSQL, and what only a table of leases can go through.</summary>
public sealed class PostgresMembershipTests : ClusterContractTests, IDisposable
{
    private const string AdvisoryHere = "locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    private readonly CapturedLogs _logs = new();
    private readonly Lazy<Task<string>> _database = new(async () => await (await PostgresServer.SharedAsync()).CreateDatabaseAsync());

    public void Dispose() => _logs.Dispose();

    [SkippableFact]
    public async Task A_frozen_broker_learns_that_it_is_superseded()
    {
        await using var other = await JoinAsync("b");
        // Its time stands still: it renews no lease.
        await using var frozen = await CreateAsync("a", time: new FakeTimeProvider());
        await frozen.JoinedAsync();
        var before = frozen.Find("a")!.Incarnation;

        await using var successor = await JoinAsync("a");
        await Patience.UntilAsync(() => frozen.Superseded.IsCancellationRequested, "the end of the frozen broker");
        Assert.True(successor.Find("a")!.Incarnation > before);
        await frozen.LeaveAsync(CancellationToken.None).WaitAsync(Patience.Long);
        await Patience.UntilAsync(() => other.Find("a") == successor.Find("a"), "the successor at the other broker");
        Assert.False(successor.Superseded.IsCancellationRequested);
    }

    [SkippableFact]
    public async Task A_frozen_broker_learns_that_its_addresses_are_another_s()
    {
        await using var frozen = await CreateAsync("a", time: new FakeTimeProvider());
        await frozen.JoinedAsync();
        await using var successor = await CreateAsync(TestMembers.Broker("a") with { Id = "b" });
        await successor.JoinedAsync();
        await Patience.UntilAsync(() => frozen.Superseded.IsCancellationRequested, "the end of the frozen broker");
        await successor.SeesAsync("b");
    }

    [SkippableTheory]
    [InlineData("DELETE FROM whip.broker")]
    [InlineData("TRUNCATE whip.broker, whip.schema_version")]
    [InlineData("DROP TABLE whip.broker")]
    [InlineData("DROP SCHEMA whip CASCADE")]
    [InlineData("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")]
    public async Task What_is_lost_in_the_database_comes_back_and_nobody_leaves_the_list(string loss)
    {
        await using var a = await CreateAsync("a", calm: true);
        await using var b = await CreateAsync("b", calm: true);
        await a.JoinedAsync();
        await b.JoinedAsync();
        await a.SeesAsync("a b");
        await b.SeesAsync("a b");
        var (seenByA, seenByB) = (a.Members, b.Members);

        await PostgresServer.ExecuteAsync(await _database.Value, loss);
        var renewed = $"SELECT count(*) FROM whip.broker WHERE lease > '{await PostgresServer.ScalarAsync(await _database.Value, "SELECT clock_timestamp()::text")}'";
        await UntilAsync(renewed, 2L);
        Assert.Same(seenByA, a.Members);
        Assert.Same(seenByB, b.Members);

        await using var c = await CreateAsync("c", calm: true);
        await c.JoinedAsync();
        await c.SeesAsync("a b c");
        await a.SeesAsync("a b c");
        await b.SeesAsync("a b c");
        await UntilAsync("SELECT count(*) FROM whip.schema_version", 1L);
        Assert.True(c.Find("c")!.Incarnation > seenByA.Max(m => m.Incarnation));
    }

    [SkippableFact]
    public async Task Clusters_share_a_database_and_do_not_see_each_other()
    {
        await using var one = await CreateAsync("a", cluster: "one");
        await using var two = await CreateAsync("a", cluster: "two");
        await one.JoinedAsync();
        await two.JoinedAsync();
        await using var more = await CreateAsync("b", cluster: "two");
        await more.JoinedAsync();
        await two.SeesAsync("a b");
        await one.SeesAsync("a");
    }

    [SkippableFact]
    public async Task Brokers_that_find_an_empty_database_migrate_it_once()
    {
        var options = TestOptions.Calm(await _database.Value);
        PostgresMembership[] brokers = [.. "abcde".Select(id => Create(TestMembers.Broker($"{id}"), options))];
        Task joins;
        await using (var turn = new NpgsqlConnection(await _database.Value + ";Pooling=false"))
        {
            await turn.OpenAsync();
            await new NpgsqlCommand("SELECT pg_advisory_lock(hashtextextended('whip schema', 0))", turn).ExecuteScalarAsync();
            joins = Task.WhenAll(brokers.Select(b => b.JoinedAsync()));
            await UntilAsync($"SELECT count(*) FROM pg_locks WHERE {AdvisoryHere} AND NOT granted", 5L);
        }

        await joins;
        foreach (var broker in brokers)
        {
            await broker.SeesAsync("a b c d e");
            await broker.DisposeAsync();
        }

        Assert.Single(_logs.Records, r => r.Event.Name == "Migrated" && r.Message.EndsWith("from version 0 to 1", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task A_broker_holds_one_connection_and_no_lock()
    {
        await using var a = await JoinAsync("a");
        await using var b = await JoinAsync("b");
        const string Connections = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'whip-broker %'";
        Assert.Equal(2L, await PostgresServer.ScalarAsync(await _database.Value, Connections));
        Assert.Equal(0L, await PostgresServer.ScalarAsync(await _database.Value, $"SELECT count(*) FROM pg_locks WHERE {AdvisoryHere}"));
    }

    [SkippableFact]
    public async Task A_newer_schema_is_refused_at_start_and_endured_later()
    {
        await using var running = await JoinAsync("a");
        await PostgresServer.ExecuteAsync(await _database.Value, "INSERT INTO whip.schema_version VALUES (99)");
        await using var starting = await CreateAsync("b");
        var refused = await Assert.ThrowsAsync<MembershipRefusedException>(() => starting.JoinedAsync());
        Assert.Contains("version 99, newer than 1", refused.Message);

        const string Cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        await PostgresServer.ExecuteAsync(await _database.Value, Cut);
        await _logs.WaitForAsync("Back");
    }

    [SkippableFact]
    public async Task The_row_of_a_broker_long_gone_is_removed()
    {
        await using var a = await JoinAsync("a");
        await using (var b = await JoinAsync("b"))
        {
            await a.SeesAsync("a b");
        }

        await a.SeesAsync("a");
        await UntilAsync("SELECT count(*) FROM whip.broker", 1L);
    }

    [SkippableFact]
    public async Task A_broker_that_joins_tries_one_in_doubt_last_and_drops_it_later()
    {
        await using (await JoinAsync("a"))
        {
        }

        await PostgresServer.ExecuteAsync(await _database.Value, "UPDATE whip.broker SET lease = now() - interval '1 day'");
        await using var b = await JoinAsync("b");
        Assert.Contains(_logs.Records, r => r.Event.Name == "Changed" && r.Message.EndsWith(": a (suspect), b", StringComparison.Ordinal));
        await b.SeesAsync("b");
    }

    private async Task UntilAsync(string sql, object value)
    {
        using var deadline = new CancellationTokenSource(Patience.Long);
        while (!value.Equals(await TryAsync()))
        {
            Assert.False(deadline.IsCancellationRequested, $"never {value}: {sql}");
            await Task.Delay(20);
        }

        async Task<object?> TryAsync()
        {
            try
            {
                return await PostgresServer.ScalarAsync(await _database.Value, sql);
            }
            catch (PostgresException)
            {
                return null;
            }
        }
    }

    private protected override async Task<IClusterMembership> CreateAsync(BrokerMember self) => Create(self, TestOptions.Quick(await _database.Value));

    private async Task<IClusterMembership> CreateAsync(string id, bool calm = false, string cluster = "whip", TimeProvider? time = null)
    {
        var database = await _database.Value;
        return Create(TestMembers.Broker(id), calm ? TestOptions.Calm(database) : TestOptions.Quick(database, cluster), time);
    }

    private PostgresMembership Create(BrokerMember self, PostgresMembershipOptions options, TimeProvider? time = null) =>
        new(self, options, _logs, time ?? TimeProvider.System);
}
