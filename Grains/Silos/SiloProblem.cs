namespace Whip.Grains.Silos;

/// <summary>Why a broker has no silo, for its log and for whip status. A new reason is logged at once, and the same one again every minute.</summary>
internal sealed class SiloProblem(string brokerId, ILogger log, TimeProvider time)
{
    private static readonly TimeSpan LogInterval = TimeSpan.FromMinutes(1);

    private long _loggedAt;

    /// <summary>Null while there is a silo.</summary>
    public string? Text { get; set; } = "its first silo starts";

    /// <summary>A silo could not start; another one will.</summary>
    public void Failed(string reason) => Report(reason, SiloLog.Waiting);

    /// <summary>A silo that starts waits for something, as one may that joins; only a long wait is a warning.</summary>
    public void Waits(string reason) => Report(reason, reason == Text ? SiloLog.Waiting : SiloLog.Joining);

    private void Report(string reason, Action<ILogger, string, string> write)
    {
        if (reason != Text || time.GetElapsedTime(_loggedAt) >= LogInterval)
        {
            write(log, brokerId, reason);
            (Text, _loggedAt) = (reason, time.GetTimestamp());
        }
    }
}
