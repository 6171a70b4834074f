using Whip.Grains.Membership;

namespace Whip.Tests.Grains.Membership;

/// <summary>A store of silos' rows that a test damages.</summary>
internal abstract class DamagedStore
{
    public abstract ISiloStore Store { get; }

    /// <summary>The version of the view stays.</summary>
    public abstract Task RemoveRowsAsync();

    /// <summary>The rows of the silos stay.</summary>
    public abstract Task RemoveVersionAsync();

    public abstract Task DropAsync();

    /// <summary>As a backup that was taken at this version has it.</summary>
    public abstract Task SetVersionAsync(int version);

    /// <summary>As the others do with a silo that does not answer them.</summary>
    public abstract Task KillAsync(SiloAddress silo);

    /// <summary>The table as it is, not mended; empty while a part of it is gone.</summary>
    public async Task<MembershipTableData> ReadAsync()
    {
        try
        {
            var table = Store.Open(new TableSilo(Store, "reader").Services);
            await table.InitializeMembershipTableAsync(false);
            return await table.ReadAllAsync();
        }
        catch (Exception error) when (Store.IsGone(error))
        {
            return new MembershipTableData(new TableVersion(0, "0"));
        }
    }
}

internal sealed class DamagedMemory : DamagedStore
{
    public override ISiloStore Store => Memory;

    public MemoryStore Memory { get; } = new();

    public override Task RemoveRowsAsync() => Change(Memory.RemoveRows);

    public override Task RemoveVersionAsync() => Change(Memory.RemoveVersion);

    public override Task DropAsync() => Change(Memory.Drop);

    public override Task SetVersionAsync(int version) => Change(() => Memory.SetVersion(version));

    public override Task KillAsync(SiloAddress silo) => Change(() => Memory.Kill(silo));

    private static Task Change(Action change)
    {
        change();
        return Task.CompletedTask;
    }
}

internal sealed class DamagedPostgres : DamagedStore
{
    private DamagedPostgres(string database) => (Database, Store) = (database, new PostgresStore(database, TableSilo.ClusterId));

    /// <summary>As WHIP_POSTGRES names it.</summary>
    public string Database { get; }

    public override ISiloStore Store { get; }

    public static async Task<DamagedPostgres> CreateAsync() => new(await (await PostgresServer.SharedAsync()).CreateDatabaseAsync());

    public override Task RemoveRowsAsync() => ExecuteAsync("DELETE FROM whip_orleans.silo");

    public override Task RemoveVersionAsync() => ExecuteAsync("DELETE FROM whip_orleans.view");

    public override Task DropAsync() => ExecuteAsync("DROP SCHEMA IF EXISTS whip_orleans CASCADE");

    public override Task SetVersionAsync(int version) => ExecuteAsync($"UPDATE whip_orleans.view SET version = {version}");

    public override Task KillAsync(SiloAddress silo) =>
        ExecuteAsync($"UPDATE whip_orleans.silo SET status = 6 WHERE port = {silo.Endpoint.Port}; UPDATE whip_orleans.view SET version = version + 1");

    /// <summary>What the brokers from before there were versions have left, one of them by a crash an hour ago.</summary>
    public Task LeaveOldSchemaAsync() => ExecuteAsync(
            """
            CREATE SCHEMA whip_orleans;
            CREATE TABLE whip_orleans.orleansquery (querykey text PRIMARY KEY, querytext text NOT NULL);
            CREATE TABLE whip_orleans.view (cluster_id text PRIMARY KEY, version integer NOT NULL);
            CREATE TABLE whip_orleans.silo (cluster_id text NOT NULL, address text NOT NULL, port integer NOT NULL, generation integer NOT NULL,
                name text NOT NULL, host text NOT NULL, status integer NOT NULL, gateway_port integer NOT NULL, suspicions text,
                started timestamptz NOT NULL, alive timestamptz NOT NULL, PRIMARY KEY (cluster_id, address, port, generation));
            INSERT INTO whip_orleans.orleansquery VALUES ('MembershipReadAllKey', 'SELECT of the version before'), ('AnotherKey', 'SELECT 1');
            INSERT INTO whip_orleans.view VALUES ('c1', 217000000);
            INSERT INTO whip_orleans.silo VALUES ('c1', '127.0.0.1', 1, 1, 'old', 'host', 3, 0, null, now() - interval '1 day', now() - interval '1 hour');
            CREATE SCHEMA whip;
            CREATE TABLE whip.schema_version (version integer PRIMARY KEY, since timestamptz NOT NULL DEFAULT now());
            CREATE SEQUENCE whip.incarnation;
            CREATE TABLE whip.broker (cluster_id text NOT NULL, broker_id text NOT NULL, incarnation bigint NOT NULL, external_grpc text NOT NULL,
                external_tcp text NOT NULL, external_dial text NOT NULL, zone text NOT NULL, draining boolean NOT NULL, lease timestamptz NOT NULL,
                PRIMARY KEY (cluster_id, broker_id));
            INSERT INTO whip.schema_version VALUES (1);
            INSERT INTO whip.broker VALUES ('c1', 'old', 1, 'h:1', 'h:2', 'h:3', '', false, now() - interval '1 hour')
            """);

    public Task ExecuteAsync(string sql) => PostgresServer.ExecuteAsync(Database, sql);

    public Task<object?> ScalarAsync(string sql) => PostgresServer.ScalarAsync(Database, sql);
}
