using Npgsql;
using Whip.Registry.Membership;

namespace Whip.Registry.Postgres;

/// <summary>
/// Makes the schema <c>whip</c> what this version needs, from any older state, nothing at all or a part included. Concurrent brokers
/// take turns by an advisory lock that ends with the migration.
/// </summary>
internal static class PostgresSchema
{
    // From the tables themselves: within a transaction to_regclass may still answer from before the lock.
    private const string WhatExists = """
        SELECT count(*) FILTER (WHERE relname = 'schema_version') = 1, count(*) FILTER (WHERE relname IN ('broker', 'incarnation')) = 2
        FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'whip')
        """;

    // The timeout frees the lock if this process is frozen in the middle.
    private const string TakeTurn = """
        SET LOCAL idle_in_transaction_session_timeout = '5s';
        SELECT pg_advisory_xact_lock(hashtextextended('whip schema', 0))
        """;

    /// <summary>
    /// Each leads from the version that is its index to the next one, and does no harm when it runs again. A user who may not create schemas
    /// can be given an empty one. Incarnations start at the clock, so that a sequence made anew goes on above those that brokers hold.
    /// Every lease is an update: fillfactor keeps them on their page, and no index has the column.
    /// </summary>
    private static readonly string[] Migrations =
    [
        """
        DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'whip') THEN CREATE SCHEMA whip; END IF; END $$;
        CREATE TABLE IF NOT EXISTS whip.schema_version (version integer PRIMARY KEY, since timestamptz NOT NULL DEFAULT now());
        CREATE SEQUENCE IF NOT EXISTS whip.incarnation;
        SELECT setval('whip.incarnation', greatest(nextval('whip.incarnation'), (extract(epoch FROM now()) * 1000)::bigint));
        CREATE TABLE IF NOT EXISTS whip.broker (
            cluster_id text NOT NULL,
            broker_id text NOT NULL,
            incarnation bigint NOT NULL,
            external_grpc text NOT NULL,
            external_tcp text NOT NULL,
            external_dial text NOT NULL,
            zone text NOT NULL,
            draining boolean NOT NULL,
            lease timestamptz NOT NULL,
            PRIMARY KEY (cluster_id, broker_id)) WITH (fillfactor = 50);
        """,
    ];

    public static int Version => Migrations.Length;

    /// <param name="connection">Open, and in no transaction.</param>
    /// <param name="acceptNewer">Whether to leave a newer schema to the statements, which may well work on it.</param>
    /// <returns>The version that was there, as far as it was whole; 0 for none.</returns>
    /// <exception cref="MembershipRefusedException">The schema is newer than this broker.</exception>
    public static async Task<int> EnsureAsync(NpgsqlConnection connection, bool acceptNewer)
    {
        var found = await FindAsync(connection, acceptNewer);
        if (found >= Version)
        {
            return found;
        }

        await using var transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(connection, TakeTurn);
        found = await FindAsync(connection, acceptNewer);
        for (var version = found; version < Version; version++)
        {
            await ExecuteAsync(connection, Migrations[version]);
            await ExecuteAsync(connection, $"INSERT INTO whip.schema_version VALUES ({version + 1}) ON CONFLICT DO NOTHING");
        }

        await transaction.CommitAsync();
        return found;
    }

    private static async Task<int> FindAsync(NpgsqlConnection connection, bool acceptNewer)
    {
        var (hasVersion, isWhole) = (false, false);
        await using (var command = new NpgsqlCommand(WhatExists, connection))
        await using (var reader = await command.ExecuteReaderAsync())
        {
            await reader.ReadAsync();
            (hasVersion, isWhole) = (reader.GetBoolean(0), reader.GetBoolean(1));
        }

        if (!hasVersion)
        {
            return 0;
        }

        await using var max = new NpgsqlCommand("SELECT coalesce(max(version), 0) FROM whip.schema_version", connection);
        var version = (int)(await max.ExecuteScalarAsync())!;
        if (version > Version && !acceptNewer)
        {
            throw new MembershipRefusedException(
                $"the database's schema whip has version {version}, newer than {Version}, the newest this broker knows; run a newer whip-broker or use another database");
        }

        return isWhole || version > Version ? version : 0;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
