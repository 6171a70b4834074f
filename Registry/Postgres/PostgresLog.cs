using Microsoft.Extensions.Logging;

namespace Whip.Registry.Postgres;

/// <summary>What the membership in PostgreSQL logs; 600 to 649.</summary>
internal static partial class PostgresLog
{
    [LoggerMessage(600, LogLevel.Warning, "waiting for PostgreSQL at {Server}: {Reason}; trying on")]
    public static partial void Waiting(ILogger log, string server, string reason);

    [LoggerMessage(601, LogLevel.Information, "{Id} (incarnation {Incarnation}) has joined the cluster {ClusterId}")]
    public static partial void Joined(ILogger log, string id, long incarnation, string clusterId);

    [LoggerMessage(602, LogLevel.Warning, "PostgreSQL at {Server} is away: {Reason}; the list of brokers stays as it is")]
    public static partial void Away(ILogger log, string server, string reason);

    [LoggerMessage(603, LogLevel.Debug, "PostgreSQL at {Server} is still away: {Reason}; failure {Failures}")]
    public static partial void StillAway(ILogger log, string server, string reason, int failures);

    [LoggerMessage(604, LogLevel.Information, "PostgreSQL at {Server} is back after {Seconds:F1} s")]
    public static partial void Back(ILogger log, string server, double seconds);

    [LoggerMessage(605, LogLevel.Information, "the brokers of the cluster: {Members}")]
    public static partial void Changed(ILogger log, string members);

    [LoggerMessage(606, LogLevel.Warning, "the row of {Id} was gone; it is back")]
    public static partial void PutBack(ILogger log, string id);

    [LoggerMessage(607, LogLevel.Warning, "{Id} (incarnation {Incarnation}) is superseded by {Other}")]
    public static partial void Superseded(ILogger log, string id, long incarnation, string other);

    [LoggerMessage(608, LogLevel.Information, "schema whip brought from version {From} to {To}")]
    public static partial void Migrated(ILogger log, int from, int to);

    [LoggerMessage(609, LogLevel.Information, "{Other} has not left; waiting until it renews its lease or the lease is stale")]
    public static partial void InTheWay(ILogger log, string other);

    [LoggerMessage(610, LogLevel.Warning, "{Id} leaves without telling the others, who will drop it")]
    public static partial void LeftUntold(ILogger log, string id);

    [LoggerMessage(611, LogLevel.Error, "keeping the membership failed by a fault of the broker; trying on")]
    public static partial void Faulted(ILogger log, Exception exception);
}
