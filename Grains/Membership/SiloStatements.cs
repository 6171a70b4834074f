namespace Whip.Grains.Membership;

/// <summary>
/// The statements that the AdoNet clustering of Orleans executes, by its keys. Every change of the membership takes the next version of the view, and
/// happens only if no other silo has taken it: the protocol has no other lock. A change here needs a new version of <see cref="SiloSchema"/>.
/// </summary>
internal static class SiloStatements
{
    private const string ThisSilo = "cluster_id = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation";

    private const string NextVersion = "UPDATE view SET version = version + 1 WHERE cluster_id = @DeploymentId AND version = @Version";

    private const string Columns = """
        v.cluster_id AS DeploymentId, s.address AS Address, s.port AS Port, s.generation AS Generation, s.name AS SiloName, s.host AS HostName,
        s.status AS Status, s.gateway_port AS ProxyPort, s.suspicions AS SuspectTimes, s.started AS StartTime, s.alive AS IAmAliveTime, v.version AS Version
        """;

    public static readonly IReadOnlyDictionary<string, string> All = new Dictionary<string, string>
    {
        ["InsertMembershipVersionKey"] = """
            WITH made AS (INSERT INTO view VALUES (@DeploymentId, 0) ON CONFLICT DO NOTHING RETURNING 1)
            SELECT count(*)::integer FROM made
            """,
        ["InsertMembershipKey"] = $"""
            WITH turn AS ({NextVersion} AND NOT EXISTS (SELECT FROM silo WHERE {ThisSilo}) RETURNING 1),
            made AS (
                INSERT INTO silo (cluster_id, address, port, generation, name, host, status, gateway_port, started, alive)
                SELECT @DeploymentId, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime FROM turn RETURNING 1)
            SELECT count(*)::integer FROM made
            """,
        ["UpdateMembershipKey"] = $"""
            WITH turn AS ({NextVersion} AND EXISTS (SELECT FROM silo WHERE {ThisSilo}) RETURNING 1),
            made AS (
                UPDATE silo SET status = @Status, suspicions = @SuspectTimes, alive = @IAmAliveTime FROM turn WHERE {ThisSilo} RETURNING 1)
            SELECT count(*)::integer FROM made
            """,
        ["UpdateIAmAlivetimeKey"] = $"UPDATE silo SET alive = @IAmAliveTime WHERE {ThisSilo}",

        // Without a silo, one row that has only the version.
        ["MembershipReadAllKey"] = $"SELECT {Columns} FROM view v LEFT JOIN silo s USING (cluster_id) WHERE v.cluster_id = @DeploymentId",
        ["MembershipReadRowKey"] = $"""
            SELECT {Columns} FROM view v
            LEFT JOIN silo s ON s.cluster_id = v.cluster_id AND s.address = @Address AND s.port = @Port AND s.generation = @Generation
            WHERE v.cluster_id = @DeploymentId
            """,
        ["GatewaysQueryKey"] = """
            SELECT address AS Address, gateway_port AS ProxyPort, generation AS Generation FROM silo
            WHERE cluster_id = @DeploymentId AND status = @Status AND gateway_port > 0
            """,

        // 3 is an active silo.
        ["CleanupDefunctSiloEntriesKey"] = "DELETE FROM silo WHERE cluster_id = @DeploymentId AND alive < @IAmAliveTime AND status <> 3",
        ["DeleteMembershipTableEntriesKey"] = "DELETE FROM silo WHERE cluster_id = @DeploymentId; DELETE FROM view WHERE cluster_id = @DeploymentId",
    };
}
