using Npgsql;
using Whip.Registry.Membership;

namespace Whip.Registry.Postgres;

/// <summary>
/// The statements on <c>whip.broker</c>, over one connection. A broker costs the database one round trip a second with two statements (renew,
/// read), one more such for each notification, and about ten statements when it connects or joins. Registrations and dials cost it none.
/// The clock is the database's: <c>now()</c> writes the leases and tells their age.
/// </summary>
internal sealed class BrokerTable : IAsyncDisposable
{
    private const string Columns = "broker_id, incarnation, external_grpc, external_tcp, external_dial, zone, draining, lease, now() - lease";
    private const string Own = "cluster_id = $1 AND broker_id = $2 AND incarnation = $3";

    private const string Renew = $"""
        UPDATE whip.broker SET lease = now(), draining = $4 WHERE {Own} RETURNING CASE WHEN $5 THEN pg_notify('whip', $1)::text END
        """;

    // Two brokers that join at once must see each other. The batch is one transaction and one round trip, so the lock is never held by an absent client.
    private const string TakeTurn = "SELECT pg_advisory_xact_lock(hashtextextended('whip join ' || $1, 0))";

    private const string InTheWay = """
        cluster_id = $1 AND (broker_id = $2 AND incarnation <> $3
            OR broker_id <> $2 AND ARRAY[lower(external_grpc), lower(external_tcp), lower(external_dial)] && $4)
        """;

    private const string RemoveStale = $"DELETE FROM whip.broker WHERE {InTheWay} AND lease < now() - $5 AND (broker_id <> $2 OR incarnation < $3)";

    // The row is there already when the answer to an earlier insert was lost.
    private const string Insert = $"""
        INSERT INTO whip.broker (cluster_id, broker_id, incarnation, external_grpc, external_tcp, external_dial, zone, draining, lease)
        SELECT $1, $2, $3, $5, $6, $7, $8, $9, now() WHERE NOT EXISTS (SELECT FROM whip.broker WHERE {InTheWay})
        ON CONFLICT (cluster_id, broker_id) DO UPDATE SET lease = excluded.lease, draining = excluded.draining
        RETURNING pg_notify('whip', $1)
        """;

    // A database restored from a backup may hold higher incarnations than its sequence.
    private const string NextIncarnation = """
        SELECT greatest(nextval('whip.incarnation'),
            (SELECT max(incarnation) + 1 FROM whip.broker WHERE cluster_id = $1 AND broker_id = $2))
        """;

    private readonly NpgsqlConnection _connection;
    private readonly string _clusterId;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private Task _work = Task.CompletedTask;

    private BrokerTable(NpgsqlConnection connection, PostgresMembershipOptions options, TimeProvider time) =>
        (_connection, _clusterId, _timeout, _time) = (connection, options.ClusterId, options.Timeout, time);

    /// <summary>The schema's version before it was brought up to date.</summary>
    public int FoundVersion { get; private set; }

    /// <summary>Connects, brings the schema up to date and listens.</summary>
    public static async Task<BrokerTable> OpenAsync(
        NpgsqlDataSource source, PostgresMembershipOptions options, TimeProvider time, bool acceptNewer, CancellationToken cancellationToken)
    {
        var table = new BrokerTable(await source.OpenConnectionAsync(cancellationToken), options, time);
        try
        {
            table.FoundVersion = await table.InTimeAsync(PostgresSchema.EnsureAsync(table._connection, acceptNewer));
            await table.ExecuteAsync("LISTEN whip");
            return table;
        }
        catch
        {
            await table.DisposeAsync();
            throw;
        }
    }

    public async Task<long> NextIncarnationAsync(string id) => (long)(await InTimeAsync(Batch((NextIncarnation, [_clusterId, id])).ExecuteScalarAsync()))!;

    /// <summary>Puts a broker's row there, unless other rows are in the way: of its id, or with one of its addresses.</summary>
    /// <param name="self">With an incarnation.</param>
    /// <param name="replaceable">The age from which a row is removed that is in the way; null for never. A later incarnation stays anyhow.</param>
    /// <returns>The rows in the way; none if the broker is in the table now.</returns>
    public async Task<IReadOnlyList<BrokerRow>> EnterAsync(BrokerMember self, TimeSpan? replaceable)
    {
        string[] addresses = [.. new[] { self.ExternalGrpc, self.ExternalTcp, self.ExternalDial }.Where(a => a.Length > 0).Select(a => a.ToLowerInvariant())];
        object[] which = [_clusterId, self.Id, self.Incarnation, addresses];
        return await ReadRowsAsync(Batch(
            (TakeTurn, [_clusterId]),
            ($"{RemoveStale} AND $6", [.. which, replaceable ?? TimeSpan.Zero, replaceable is not null]),
            (Insert, [.. which, self.ExternalGrpc, self.ExternalTcp, self.ExternalDial, self.Zone, self.IsDraining]),
            ($"SELECT {Columns} FROM whip.broker WHERE {InTheWay}", which)));
    }

    /// <summary>Renews the lease and reads the rows of the whole cluster in one round trip.</summary>
    /// <returns>Whether the row of this incarnation is still there, and all rows.</returns>
    public async Task<(bool IsRenewed, IReadOnlyList<BrokerRow> Rows)> RenewAsync(BrokerMember self, bool notify)
    {
        var batch = Batch(
            (Renew, [_clusterId, self.Id, self.Incarnation, self.IsDraining, notify]),
            ($"SELECT {Columns} FROM whip.broker WHERE cluster_id = $1", [_clusterId]));
        var rows = await ReadRowsAsync(batch);
        return (batch.BatchCommands[0].RecordsAffected > 0, rows);
    }

    public Task LeaveAsync(BrokerMember self) =>
        ExecuteAsync($"DELETE FROM whip.broker WHERE {Own} RETURNING pg_notify('whip', $1)", _clusterId, self.Id, self.Incarnation);

    /// <summary>Removes the rows of brokers that are gone; whoever sees one does it, and no harm comes from doing it twice.</summary>
    public Task RemoveAsync(TimeSpan age) =>
        ExecuteAsync("DELETE FROM whip.broker WHERE cluster_id = $1 AND lease < now() - $2", _clusterId, age);

    /// <summary>Waits until some broker says that there is something to look at, or until told to go on.</summary>
    public async Task WaitForHintAsync(CancellationToken goOn)
    {
        try
        {
            await _connection.WaitAsync(goOn);
        }
        catch (OperationCanceledException) when (goOn.IsCancellationRequested)
        {
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_work.IsCompleted)
        {
            await _connection.DisposeAsync();
        }
        else
        {
            _ = CloseAfterAsync(_work, _connection);
        }
    }

    private static async Task CloseAfterAsync(Task work, NpgsqlConnection connection)
    {
        await work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await connection.DisposeAsync();
    }

    /// <summary>
    /// What is out of time is left behind and closed when it ends, with the server's answer or the socket's. Npgsql's own timeout would block: it asks
    /// the server to cancel, over another connection, and a frozen one answers neither.
    /// </summary>
    private async Task<T> InTimeAsync<T>(Task<T> work)
    {
        _work = work;
        return await work.WaitAsync(_timeout, _time);
    }

    private Task<List<BrokerRow>> ReadRowsAsync(NpgsqlBatch batch)
    {
        return InTimeAsync(ReadAsync());

        async Task<List<BrokerRow>> ReadAsync()
        {
            var rows = new List<BrokerRow>();
            await using var reader = await batch.ExecuteReaderAsync();
            do
            {
                while (await reader.ReadAsync())
                {
                    if (reader.FieldCount > 1)
                    {
                        rows.Add(ReadRow(reader));
                    }
                }
            }
            while (await reader.NextResultAsync());
            return rows;
        }
    }

    private static BrokerRow ReadRow(NpgsqlDataReader reader)
    {
        var member = new BrokerMember
        {
            Id = reader.GetString(0),
            Incarnation = reader.GetInt64(1),
            ExternalGrpc = reader.GetString(2),
            ExternalTcp = reader.GetString(3),
            ExternalDial = reader.GetString(4),
            Zone = reader.GetString(5),
            IsDraining = reader.GetBoolean(6),
        };
        return new BrokerRow(member, reader.GetDateTime(7), reader.GetTimeSpan(8));
    }

    private NpgsqlBatch Batch(params ReadOnlySpan<(string Sql, object[] Values)> commands)
    {
        var batch = new NpgsqlBatch(_connection);
        foreach (var (sql, values) in commands)
        {
            var command = new NpgsqlBatchCommand(sql);
            foreach (var value in values)
            {
                command.Parameters.Add(new NpgsqlParameter { Value = value });
            }

            batch.BatchCommands.Add(command);
        }

        return batch;
    }

    private Task<int> ExecuteAsync(string sql, params object[] values) => InTimeAsync(Batch((sql, values)).ExecuteNonQueryAsync());
}
