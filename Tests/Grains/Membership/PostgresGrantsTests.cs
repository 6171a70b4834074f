using System.Text.RegularExpressions;
using Npgsql;
using Whip.Grains.Membership;

namespace Whip.Tests.Grains.Membership;

/// <summary>A broker whose database refuses its user something tells the statement that gives the right.</summary>
public sealed class PostgresGrantsTests
{
    [SkippableTheory]
    [InlineData("database", "SELECT 1")]
    [InlineData("database", "DO $$ BEGIN EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database()); END $$")]
    [InlineData("schema", "CREATE SCHEMA whip_orleans")]
    [InlineData("table", "GRANT USAGE, CREATE ON SCHEMA whip_orleans TO PUBLIC")]
    public async Task A_right_that_is_missing_is_told_as_the_statement_that_gives_it(string what, string sql)
    {
        var database = await DamagedPostgres.CreateAsync();
        var role = $"no {what} {sql.Length}";
        await database.ExecuteAsync($"CREATE ROLE \"{role}\" LOGIN PASSWORD 'pa55'");
        if (what == "table")
        {
            await database.Store.MendAsync(SeenSilos.None, acceptNewer: false, default);
        }

        await database.ExecuteAsync(sql);
        var user = new NpgsqlConnectionStringBuilder(database.Database) { Username = role, Password = "pa55" };
        await using var cluster = new SiloTestCluster(new PostgresStore(user.ConnectionString, TableSilo.ClusterId));
        var silo = cluster.Create("b1");
        silo.Grains.Start();
        var told = (await cluster.Logs.WaitForAsync("Waiting")).Message;
        Assert.Contains($"permission denied for {what} ", told);
        var grant = Regex.Match(told, "permission denied for [^;?]+; try (GRANT [^;]+) as a superuser; retrying$").Groups[1].Value;
        await database.ExecuteAsync(grant);
        await silo.Grains.Joined.WaitAsync(Patience.Long);
        await cluster.StopAsync(silo);
    }
}
