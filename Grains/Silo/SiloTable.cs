using System.Net;
using Npgsql;

namespace Whip.Grains.Silo;

/// <summary>
/// Orleans' membership in PostgreSQL, in a schema of its own. Orleans reads its statements from the table <c>OrleansQuery</c> and
/// goes by the names of their parameters and columns, so that the tables behind them are ours to shape.
/// </summary>
internal static class SiloTable
{
    private const string Schema = "whip_orleans";

    // Two brokers that start on an empty database take turns.
    private const string Create = $"""
        SELECT pg_advisory_xact_lock(hashtextextended('{Schema}', 0));
        DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = '{Schema}') THEN CREATE SCHEMA {Schema}; END IF; END $$;
        CREATE TABLE IF NOT EXISTS {Schema}.orleansquery (querykey text PRIMARY KEY, querytext text NOT NULL);
        CREATE TABLE IF NOT EXISTS {Schema}.view (cluster_id text PRIMARY KEY, version integer NOT NULL);
        CREATE TABLE IF NOT EXISTS {Schema}.silo (
            cluster_id text NOT NULL,
            address text NOT NULL,
            port integer NOT NULL,
            generation integer NOT NULL,
            name text NOT NULL,
            host text NOT NULL,
            status integer NOT NULL,
            gateway_port integer NOT NULL,
            suspicions text,
            started timestamptz NOT NULL,
            alive timestamptz NOT NULL,
            PRIMARY KEY (cluster_id, address, port, generation));
        """;

    private const string AddStatement = $"""
        INSERT INTO {Schema}.orleansquery VALUES ($1, $2)
        ON CONFLICT (querykey) DO UPDATE SET querytext = excluded.querytext WHERE orleansquery.querytext <> excluded.querytext
        """;

    // Orleans does not read a cluster without one.
    private const string AddView = $"INSERT INTO {Schema}.view VALUES ($1, {SiloStatements.FirstVersion}) ON CONFLICT DO NOTHING";

    private const string IsListed = $"""
        SELECT EXISTS (SELECT FROM {Schema}.silo WHERE cluster_id = $1 AND address = $2 AND port = $3 AND generation = $4)
        """;

    /// <summary>What Orleans is given to connect with: short waits, and times in UTC, as it writes them without a zone.</summary>
    public static string ConnectionString(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString)
    {
        SearchPath = Schema,
        Timezone = "UTC",
        Timeout = 2,
        CommandTimeout = 5,
        ApplicationName = "whip-broker silo",
        MaxPoolSize = 5,
    }.ConnectionString;

    /// <summary>Makes the tables where they are missing, in whole or in part, and the statements those of this version.</summary>
    public static async Task EnsureAsync(NpgsqlDataSource database, string clusterId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var create = new NpgsqlCommand(Create, connection))
        {
            await create.ExecuteNonQueryAsync(cancellationToken);
        }

        foreach (var (key, text) in SiloStatements.All)
        {
            await using var add = new NpgsqlCommand(AddStatement, connection) { Parameters = { new() { Value = key }, new() { Value = text } } };
            await add.ExecuteNonQueryAsync(cancellationToken);
        }

        await using (var view = new NpgsqlCommand(AddView, connection) { Parameters = { new() { Value = clusterId } } })
        {
            await view.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Whether the table has the silo: one that lost its row is not found by new ones, and would never know.</summary>
    /// <exception cref="NpgsqlException">The database cannot tell, or the table is gone.</exception>
    public static async Task<bool> HasAsync(NpgsqlDataSource database, string clusterId, IPEndPoint address, int generation, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(IsListed);
        foreach (object value in new object[] { clusterId, address.Address.ToString(), address.Port, generation })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
