using Npgsql;

namespace Whip.Grains.Membership;

/// <summary>
/// The schema of the silos. Orleans reads its statements from the table <c>orleansquery</c> and depends only on the names of their parameters and
/// columns, not on the tables behind them. Brokers that start or mend at the same time take turns.
/// </summary>
internal static class SiloSchema
{
    public const string Name = "whip_orleans";

    // The timeout releases the lock if this process is frozen.
    private const string TakeTurn = $"""
        SET LOCAL idle_in_transaction_session_timeout = '5s';
        SELECT pg_advisory_xact_lock(hashtextextended('{Name}', 0))
        """;

    // Within a transaction to_regclass may answer from before the lock, the catalog does not.
    private const string WhatExists = $"""
        SELECT count(*) FILTER (WHERE relname = 'schema_version') = 1, count(*) FILTER (WHERE relname IN ('orleansquery', 'view', 'silo')) = 3
        FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = '{Name}')
        """;

    private const string SetStatements = $"""
        INSERT INTO {Name}.orleansquery SELECT key, text FROM unnest($1, $2) AS own (key, text)
        WHERE NOT EXISTS (SELECT FROM {Name}.orleansquery WHERE querykey = key AND querytext = text)
        ON CONFLICT (querykey) DO UPDATE SET querytext = excluded.querytext
        """;

    /// <summary>
    /// Each migrates from the version that is its index to the next one, and may run again. The first also takes over a schema from before there were
    /// versions. A user without the right to create schemas can be given an empty one.
    /// </summary>
    private static readonly string[] Migrations =
    [
        $"""
        DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = '{Name}') THEN CREATE SCHEMA {Name}; END IF; END $$;
        CREATE TABLE IF NOT EXISTS {Name}.schema_version (version integer PRIMARY KEY, since timestamptz NOT NULL DEFAULT now());
        CREATE TABLE IF NOT EXISTS {Name}.orleansquery (querykey text PRIMARY KEY, querytext text NOT NULL);
        CREATE TABLE IF NOT EXISTS {Name}.view (cluster_id text PRIMARY KEY, version integer NOT NULL);
        CREATE TABLE IF NOT EXISTS {Name}.silo (
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
        """,
    ];

    /// <summary>Of tables and statements together; an older broker changes neither.</summary>
    public static int Version => Migrations.Length;

    /// <summary>Takes the lock until the transaction ends, and migrates the schema.</summary>
    /// <exception cref="MembershipRefusedException">The schema is newer, and that is not accepted.</exception>
    public static async Task EnsureAsync(NpgsqlConnection connection, bool acceptNewer, CancellationToken cancellationToken)
    {
        await ExecuteAsync(connection, TakeTurn, cancellationToken);
        var found = await FindAsync(connection, cancellationToken);
        if (found > Version)
        {
            if (!acceptNewer)
            {
                throw new MembershipRefusedException(
                    $"the database's schema {Name} has version {found}, newer than {Version}, the newest this broker knows; "
                    + "run a newer whip-broker or use another database");
            }

            return;
        }

        for (var version = found; version < Version; version++)
        {
            await ExecuteAsync(connection, Migrations[version], cancellationToken);
            await ExecuteAsync(connection, $"INSERT INTO {Name}.schema_version VALUES ({version + 1}) ON CONFLICT DO NOTHING", cancellationToken);
        }

        var statements = new NpgsqlParameter[] { new() { Value = SiloStatements.All.Keys.ToArray() }, new() { Value = SiloStatements.All.Values.ToArray() } };
        await ExecuteAsync(connection, SetStatements, cancellationToken, statements);
    }

    /// <summary>The version of the schema; 0 if there is none, or a table is missing.</summary>
    private static async Task<int> FindAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var (hasVersion, isWhole) = (false, false);
        await using (var command = new NpgsqlCommand(WhatExists, connection))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            await reader.ReadAsync(cancellationToken);
            (hasVersion, isWhole) = (reader.GetBoolean(0), reader.GetBoolean(1));
        }

        if (!hasVersion)
        {
            return 0;
        }

        await using var max = new NpgsqlCommand($"SELECT coalesce(max(version), 0) FROM {Name}.schema_version", connection);
        var version = (int)(await max.ExecuteScalarAsync(cancellationToken))!;
        return isWhole || version > Version ? version : 0;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
