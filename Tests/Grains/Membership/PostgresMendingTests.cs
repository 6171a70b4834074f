using System.Security.Cryptography;
using System.Text;
using Whip.Grains.Membership;

namespace Whip.Tests.Grains.Membership;

/// <summary>The same on a real PostgreSQL, and what only a database has: a schema, statements and their version.</summary>
public sealed class PostgresMendingTests : MendingTests
{
    private DamagedPostgres? _made;

    private DamagedPostgres Database => _made!;

    private protected override async Task<DamagedStore> CreateStoreAsync() => _made = await DamagedPostgres.CreateAsync();

    [SkippableTheory]
    [InlineData("DROP TABLE whip_orleans.silo")]
    [InlineData("DROP TABLE whip_orleans.view")]
    [InlineData("DROP TABLE whip_orleans.schema_version, whip_orleans.view")]
    [InlineData("DROP TABLE whip_orleans.silo, whip_orleans.view, whip_orleans.orleansquery")]
    public async Task Tables_that_are_gone_are_made_anew(string sql)
    {
        var a = await JoinAsync("a");
        await Database.ExecuteAsync(sql);
        Assert.Equal("a", Assert.Single((await a.ReadAsync()).Members).Item1.SiloName);
        Assert.Equal(4L, await Database.ScalarAsync("SELECT count(*) FROM pg_tables WHERE schemaname = 'whip_orleans'"));
    }

    [SkippableTheory]
    [InlineData("DROP TABLE whip_orleans.orleansquery")]
    [InlineData("DELETE FROM whip_orleans.orleansquery")]
    [InlineData("UPDATE whip_orleans.orleansquery SET querytext = 'SELECT'")]
    public async Task Statements_that_are_gone_or_changed_are_set_again_for_who_joins(string sql)
    {
        var a = await JoinAsync("a");
        await Database.ExecuteAsync(sql);
        Assert.Equal("a", Assert.Single((await a.ReadAsync()).Members).Item1.SiloName);
        await JoinAsync("b");
        Assert.Equal(2, (await a.ReadAsync()).Members.Count);
    }

    [SkippableFact]
    public async Task A_mender_that_finds_nothing_writes_nothing()
    {
        var a = await JoinAsync("a");
        var store = Database.Store;
        var before = await RowVersionsAsync();
        Assert.Null(await store.MendAsync(SeenSilos.None, acceptNewer: false, default));
        Assert.Null(await store.MendAsync(new SeenSilos([(await a.ReadAsync()).Members[0].Item1], 1), acceptNewer: true, default));
        Assert.Equal(before, await RowVersionsAsync());
    }

    [SkippableFact]
    public async Task A_broker_that_is_older_than_the_schema_is_refused_and_sets_no_statement_back()
    {
        var a = await JoinAsync("a");
        await Database.ExecuteAsync($"INSERT INTO whip_orleans.schema_version VALUES ({SiloSchema.Version + 1})");
        await Database.ExecuteAsync("UPDATE whip_orleans.orleansquery SET querytext = querytext || ' '");
        var refused = await Assert.ThrowsAsync<MembershipRefusedException>(() => JoinAsync("b"));
        Assert.Contains($"version {SiloSchema.Version + 1}, newer than {SiloSchema.Version}", refused.Message, StringComparison.Ordinal);

        // One that was there before goes on, and mends rows.
        await Database.RemoveRowsAsync();
        Assert.Single((await a.ReadAsync()).Members);
        Assert.Equal((long)SiloStatements.All.Count, await Database.ScalarAsync("SELECT count(*) FROM whip_orleans.orleansquery WHERE querytext LIKE '% '"));
    }

    [SkippableFact]
    public async Task A_schema_from_before_there_were_versions_is_taken_over()
    {
        await CreateStoreAsync();
        await Database.LeaveOldSchemaAsync();
        var a = await JoinAsync("a");
        var read = await a.ReadAsync();
        Assert.Equal(217000001, read.Version.Version);
        Assert.Equal(["a", "old"], read.Members.Select(row => row.Item1.SiloName).Order());
        Assert.Equal("old", await Database.ScalarAsync("SELECT broker_id FROM whip.broker"));
    }

    [SkippableFact]
    public async Task A_user_who_may_not_create_schemas_can_be_given_an_empty_one()
    {
        await CreateStoreAsync();
        await Database.ExecuteAsync(
            """
            DROP ROLE IF EXISTS whip_silo; CREATE ROLE whip_silo LOGIN PASSWORD 'pa55'; CREATE SCHEMA whip_orleans AUTHORIZATION whip_silo
            """);
        var own = Database.Database.Replace("Username=whip", "Username=whip_silo", StringComparison.Ordinal)
            .Replace(PostgresServer.Password, "pa55", StringComparison.Ordinal);
        var silo = new TableSilo(new PostgresStore(own, TableSilo.ClusterId), "a");
        await silo.JoinAsync();
        Assert.Single((await silo.ReadAsync()).Members);
    }

    /// <summary>Orleans reads them from the table, where a broker of another version finds them: they change only with the version.</summary>
    [Fact]
    public void Statements_change_only_with_the_version_of_the_schema()
    {
        var text = string.Join('\n', SiloStatements.All.OrderBy(statement => statement.Key, StringComparer.Ordinal)
            .Select(statement => $"{statement.Key} {statement.Value}"));
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
        Assert.Equal((1, "7889faf973593afb"), (SiloSchema.Version, digest));
    }

    private async Task<TableSilo> JoinAsync(string name)
    {
        _made ??= await DamagedPostgres.CreateAsync();
        var silo = new TableSilo(Database.Store, name);
        await silo.JoinAsync();
        return silo;
    }

    private async Task<object?> RowVersionsAsync() => await Database.ScalarAsync(
        """
        SELECT string_agg(version::text, ' ' ORDER BY version::text) FROM (
            SELECT xmin AS version FROM whip_orleans.orleansquery UNION ALL SELECT xmin FROM whip_orleans.view
            UNION ALL SELECT xmin FROM whip_orleans.silo UNION ALL SELECT xmin FROM whip_orleans.schema_version) AS rows
        """);
}
