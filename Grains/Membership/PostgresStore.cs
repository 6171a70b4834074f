using System.Data.Common;
using System.Net;
using Microsoft.Extensions.Options;
using Npgsql;
using Orleans.Configuration;
using Orleans.Runtime.MembershipService;

namespace Whip.Grains.Membership;

/// <summary>The rows of the silos in PostgreSQL: the table class of Orleans with our statements, and the merge of the rows that a silo has seen.</summary>
internal sealed class PostgresStore(string connectionString, string clusterId) : ISiloStore
{
    // Orleans cannot read a cluster without this row.
    private const string AddView = $"INSERT INTO {SiloSchema.Name}.view VALUES ($1, 0) ON CONFLICT DO NOTHING";

    // Every change by Orleans begins with this row: it waits for the merge, and then finds another version.
    private const string LockView = $"SELECT version FROM {SiloSchema.Name}.view WHERE cluster_id = $1 FOR UPDATE";

    private const string ReadRows = $"SELECT address, port, generation, status FROM {SiloSchema.Name}.silo WHERE cluster_id = $1";

    private const string AddRow = $"""
        INSERT INTO {SiloSchema.Name}.silo (cluster_id, address, port, generation, name, host, status, gateway_port, suspicions, started, alive)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """;

    private const string RaiseRow = $"""
        UPDATE {SiloSchema.Name}.silo SET status = $5, suspicions = coalesce($6, suspicions)
        WHERE cluster_id = $1 AND address = $2 AND port = $3 AND generation = $4
        """;

    private const string SetVersion = $"UPDATE {SiloSchema.Name}.view SET version = $2 WHERE cluster_id = $1";

    /// <summary>Orleans writes times in UTC without a zone. It shares the pool with the merge, because pools are keyed by this text.</summary>
    private readonly string _connectionString = new NpgsqlConnectionStringBuilder(connectionString)
    {
        SearchPath = SiloSchema.Name,
        Timezone = "UTC",
        Timeout = 2,
        CommandTimeout = 5,
        ApplicationName = "whip-broker silo",
        MaxPoolSize = 5,
    }.ConnectionString;

    public string Name { get; } = $"PostgreSQL at {PostgresConnectionString.Server(new NpgsqlConnectionStringBuilder(connectionString))}";

    public IMembershipTable Open(IServiceProvider silo)
    {
        var options = Options.Create(new AdoNetClusteringSiloOptions { Invariant = "Npgsql", ConnectionString = _connectionString });
        var cluster = silo.GetRequiredService<IOptions<ClusterOptions>>();
        return new AdoNetClusteringTable(silo, cluster, options, silo.GetRequiredService<ILogger<AdoNetClusteringTable>>());
    }

    /// <summary>A schema, a table or a column is missing, or the version row, without which the read of Orleans finds no first row.</summary>
    public bool IsGone(Exception error) => error is ArgumentOutOfRangeException
        or PostgresException { SqlState: PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn };

    public string Hint(DbException error) => PostgresGrants.Hint(error, new NpgsqlConnectionStringBuilder(connectionString));

    public async Task<Mending?> MendAsync(SeenSilos seen, bool acceptNewer, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await SiloSchema.EnsureAsync(connection, acceptNewer, cancellationToken);
        await using (var add = Command(connection, AddView))
        {
            await add.ExecuteNonQueryAsync(cancellationToken);
        }

        var (rows, version) = await ReadAsync(connection, cancellationToken);
        var mending = seen.MissingIn(rows, version);
        if (mending is not null)
        {
            await WriteAsync(connection, mending, cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return mending;
    }

    private async Task<(IReadOnlyDictionary<SiloAddress, SiloStatus> Rows, int Version)> ReadAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var view = Command(connection, LockView);
        var version = (int)(await view.ExecuteScalarAsync(cancellationToken))!;
        var rows = new Dictionary<SiloAddress, SiloStatus>();
        await using var command = Command(connection, ReadRows);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows[SiloAddress.New(IPAddress.Parse(reader.GetString(0)), reader.GetInt32(1), reader.GetInt32(2))] = (SiloStatus)reader.GetInt32(3);
        }

        return (rows, version);
    }

    private async Task WriteAsync(NpgsqlConnection connection, Mending mending, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var row in mending.Added)
        {
            Add(
                batch, AddRow,
                [.. Key(row), row.SiloName, row.HostName, (int)row.Status, row.ProxyPort, Suspicions(row), Utc(row.StartTime), Utc(row.IAmAliveTime)]);
        }

        foreach (var row in mending.Raised)
        {
            Add(batch, RaiseRow, [.. Key(row), (int)row.Status, Suspicions(row)]);
        }

        Add(batch, SetVersion, [clusterId, mending.Version]);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private object[] Key(MembershipEntry row) =>
        [clusterId, row.SiloAddress.Endpoint.Address.ToString(), row.SiloAddress.Endpoint.Port, row.SiloAddress.Generation];

    private NpgsqlCommand Command(NpgsqlConnection connection, string sql) => new(sql, connection) { Parameters = { new() { Value = clusterId } } };

    private static void Add(NpgsqlBatch batch, string sql, IEnumerable<object> values)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.AddRange(values.Select(value => new NpgsqlParameter { Value = value }).ToArray());
        batch.BatchCommands.Add(command);
    }

    /// <summary>In the format of Orleans.</summary>
    private static object Suspicions(MembershipEntry row) => row.SuspectTimes is not { Count: > 0 } times
        ? DBNull.Value
        : string.Join('|', times.Select(time => $"{time.Item1.ToParsableString()},{LogFormatter.PrintDate(time.Item2)}"));

    private static DateTime Utc(DateTime time) => DateTime.SpecifyKind(time, DateTimeKind.Utc);
}
