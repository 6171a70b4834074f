using Whip.Grains.Membership;
using Whip.Registry.Membership;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Grains.Membership;

/// <summary>The same on a real PostgreSQL, and what only a database has: a schema, statements and their version.</summary>
public sealed class PostgresMendingTests : MendingTests
{
    private string _database = "";

    private protected override async Task<ISiloStore> CreateStoreAsync()
    {
        _database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        return new PostgresStore(_database, TableSilo.ClusterId);
    }

    private protected override Task RemoveRowsAsync() => ExecuteAsync("DELETE FROM whip_orleans.silo");

    private protected override Task RemoveVersionAsync() => ExecuteAsync("DELETE FROM whip_orleans.view");

    private protected override Task DropAsync() => ExecuteAsync("DROP SCHEMA whip_orleans CASCADE");

    private protected override Task SetVersionAsync(int version) => ExecuteAsync($"UPDATE whip_orleans.view SET version = {version}");

    [SkippableTheory]
    [InlineData("DROP TABLE whip_orleans.silo")]
    [InlineData("DROP TABLE whip_orleans.view")]
    [InlineData("DROP TABLE whip_orleans.schema_version, whip_orleans.view")]
    [InlineData("DROP TABLE whip_orleans.silo, whip_orleans.view, whip_orleans.orleansquery")]
    public async Task Tables_that_are_gone_are_made_anew(string sql)
    {
        var a = await JoinAsync("a");
        await ExecuteAsync(sql);
        Assert.Equal("a", Assert.Single((await a.ReadAsync()).Members).Item1.SiloName);
        Assert.Equal(4L, await ScalarAsync("SELECT count(*) FROM pg_tables WHERE schemaname = 'whip_orleans'"));
    }

    [SkippableTheory]
    [InlineData("DROP TABLE whip_orleans.orleansquery")]
    [InlineData("DELETE FROM whip_orleans.orleansquery")]
    [InlineData("UPDATE whip_orleans.orleansquery SET querytext = 'SELECT'")]
    public async Task Statements_that_are_gone_or_changed_are_set_again_for_who_joins(string sql)
    {
        var a = await JoinAsync("a");
        await ExecuteAsync(sql);
        Assert.Equal("a", Assert.Single((await a.ReadAsync()).Members).Item1.SiloName);
        await JoinAsync("b");
        Assert.Equal(2, (await a.ReadAsync()).Members.Count);
    }

    [SkippableFact]
    public async Task A_mender_that_finds_nothing_writes_nothing()
    {
        var a = await JoinAsync("a");
        var store = new PostgresStore(_database, TableSilo.ClusterId);
        var before = await RowVersionsAsync();
        Assert.Null(await store.MendAsync(SeenSilos.None, acceptNewer: false, default));
        Assert.Null(await store.MendAsync(new SeenSilos([(await a.ReadAsync()).Members[0].Item1], 1), acceptNewer: true, default));
        Assert.Equal(before, await RowVersionsAsync());
    }

    [SkippableFact]
    public async Task A_broker_that_is_older_than_the_schema_is_refused_and_sets_no_statement_back()
    {
        var a = await JoinAsync("a");
        await ExecuteAsync($"INSERT INTO whip_orleans.schema_version VALUES ({SiloSchema.Version + 1}); UPDATE whip_orleans.orleansquery SET querytext = querytext || ' '");
        var refused = await Assert.ThrowsAsync<MembershipRefusedException>(() => JoinAsync("b"));
        Assert.Contains($"version {SiloSchema.Version + 1}, newer than {SiloSchema.Version}", refused.Message, StringComparison.Ordinal);

        // One that was there before goes on, and mends rows.
        await RemoveRowsAsync();
        Assert.Single((await a.ReadAsync()).Members);
        Assert.Equal((long)SiloStatements.All.Count, await ScalarAsync("SELECT count(*) FROM whip_orleans.orleansquery WHERE querytext LIKE '% '"));
    }

    [SkippableFact]
    public async Task A_schema_from_before_there_were_versions_is_taken_over()
    {
        await CreateStoreAsync();
        await ExecuteAsync(
            """
            CREATE SCHEMA whip_orleans;
            CREATE TABLE whip_orleans.orleansquery (querykey text PRIMARY KEY, querytext text NOT NULL);
            CREATE TABLE whip_orleans.view (cluster_id text PRIMARY KEY, version integer NOT NULL);
            CREATE TABLE whip_orleans.silo (cluster_id text NOT NULL, address text NOT NULL, port integer NOT NULL, generation integer NOT NULL,
                name text NOT NULL, host text NOT NULL, status integer NOT NULL, gateway_port integer NOT NULL, suspicions text,
                started timestamptz NOT NULL, alive timestamptz NOT NULL, PRIMARY KEY (cluster_id, address, port, generation));
            INSERT INTO whip_orleans.orleansquery VALUES ('MembershipReadAllKey', 'SELECT of the version before'), ('AnotherKey', 'SELECT 1');
            INSERT INTO whip_orleans.view VALUES ('c1', 217000000);
            INSERT INTO whip_orleans.silo VALUES ('c1', '127.0.0.1', 1, 1, 'old', 'host', 6, 0, null, now(), now());
            CREATE SCHEMA whip;
            CREATE TABLE whip.broker (broker_id text PRIMARY KEY);
            INSERT INTO whip.broker VALUES ('old')
            """);
        var a = await JoinAsync("a", create: false);
        var read = await a.ReadAsync();
        Assert.Equal(217000001, read.Version.Version);
        Assert.Equal(["a", "old"], read.Members.Select(row => row.Item1.SiloName).Order());
        Assert.Equal("old", await ScalarAsync("SELECT broker_id FROM whip.broker"));
    }

    [SkippableFact]
    public async Task A_user_who_may_not_create_schemas_can_be_given_an_empty_one()
    {
        await CreateStoreAsync();
        await ExecuteAsync(
            """
            DROP ROLE IF EXISTS whip_silo; CREATE ROLE whip_silo LOGIN PASSWORD 'pa55'; CREATE SCHEMA whip_orleans AUTHORIZATION whip_silo
            """);
        _database = _database.Replace("Username=whip", "Username=whip_silo", StringComparison.Ordinal).Replace(PostgresServer.Password, "pa55", StringComparison.Ordinal);
        Assert.Single((await (await JoinAsync("a", create: false)).ReadAsync()).Members);
    }

    /// <summary>Orleans reads them from the table, where a broker of another version finds them: they change only with the version.</summary>
    [Fact]
    public void Statements_change_only_with_the_version_of_the_schema()
    {
        var text = string.Join('\n', SiloStatements.All.OrderBy(statement => statement.Key, StringComparer.Ordinal).Select(statement => $"{statement.Key} {statement.Value}"));
        var digest = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)))[..16];
        Assert.Equal((1, "7889faf973593afb"), (SiloSchema.Version, digest));
    }

    private async Task<TableSilo> JoinAsync(string name, bool create = true)
    {
        var store = create && _database.Length == 0 ? await CreateStoreAsync() : new PostgresStore(_database, TableSilo.ClusterId);
        var silo = new TableSilo(store, name);
        await silo.JoinAsync();
        return silo;
    }

    private async Task<object?> RowVersionsAsync() => await ScalarAsync(
        """
        SELECT string_agg(version::text, ' ' ORDER BY version::text) FROM (
            SELECT xmin AS version FROM whip_orleans.orleansquery UNION ALL SELECT xmin FROM whip_orleans.view
            UNION ALL SELECT xmin FROM whip_orleans.silo UNION ALL SELECT xmin FROM whip_orleans.schema_version) AS rows
        """);

    private Task ExecuteAsync(string sql) => PostgresServer.ExecuteAsync(_database, sql);

    private Task<object?> ScalarAsync(string sql) => PostgresServer.ScalarAsync(_database, sql);
}
