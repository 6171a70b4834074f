using System.Data.Common;
using Microsoft.Extensions.Logging;

namespace Whip.Registry.Postgres;

/// <summary>How the database has answered lately: when to try it again, and what is worth a line in the log.</summary>
internal sealed class DatabaseContact(ILogger log, string server, PostgresMembershipOptions options, TimeProvider time)
{
    private long? _awayFrom;
    private string? _reported;
    private int _failures;

    public bool IsAway => _awayFrom is not null;

    /// <summary>One line when the database goes away; before that was ever reached, one for each kind of failure.</summary>
    /// <returns>How long to wait before the next attempt: longer with each failure, with jitter.</returns>
    public TimeSpan Failed(Exception exception, bool hasJoined)
    {
        if (exception is not (DbException or System.Net.Sockets.SocketException or IOException or TimeoutException))
        {
            PostgresLog.Faulted(log, exception);
        }

        var kind = hasJoined ? "away" : (exception as DbException)?.SqlState ?? "unreachable";
        if (kind == _reported)
        {
            PostgresLog.StillAway(log, server, Reason(exception), _failures);
        }
        else if (hasJoined)
        {
            PostgresLog.Away(log, server, Reason(exception));
        }
        else
        {
            PostgresLog.Waiting(log, server, Reason(exception));
        }

        _reported = kind;
        _awayFrom ??= time.GetTimestamp();
        var least = options.RetryLeast.TotalSeconds;
        var most = Math.Min(options.RetryMost.TotalSeconds, least * Math.Pow(2, ++_failures));
        return TimeSpan.FromSeconds(least + (Random.Shared.NextDouble() * (most - least)));
    }

    public void Answered()
    {
        if (_awayFrom is { } from)
        {
            PostgresLog.Back(log, server, time.GetElapsedTime(from).TotalSeconds);
        }

        (_awayFrom, _reported, _failures) = (null, null, 0);
    }

    private static string Reason(Exception exception) =>
        exception.GetBaseException() is var cause && cause is TimeoutException ? "no answer in time" : cause.Message;
}
