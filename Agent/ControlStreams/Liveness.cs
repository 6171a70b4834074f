using Whip.Hosting;

namespace Whip.Agent.ControlStreams;

/// <summary>
/// Judges whether the broker still lives. Until it shows that it answers pings, only long silence counts: an original server
/// pings every 20 seconds and answers nothing. One caller per method; the methods may run beside each other.
/// </summary>
internal sealed class Liveness(WhipLimits limits, TimeProvider time)
{
    private static readonly TimeSpan SilenceTimeout = TimeSpan.FromSeconds(75);

    private long _heardAt = time.GetTimestamp();
    private long _pongAt;
    private long _pingedAt;
    private ulong _sent;
    private ulong _answered;

    /// <summary>A message of any kind came.</summary>
    public void Heard() => Volatile.Write(ref _heardAt, time.GetTimestamp());

    /// <summary>The broker is one of ours: from now on it owes pongs.</summary>
    public void ExpectPongs() => Interlocked.CompareExchange(ref _pongAt, time.GetTimestamp(), 0);

    /// <summary>Counts only the answer to a ping that was sent and not answered before.</summary>
    public void Ponged(ulong sequence)
    {
        if (sequence > _answered && sequence <= Volatile.Read(ref _sent))
        {
            _answered = sequence;
            Volatile.Write(ref _pongAt, time.GetTimestamp());
        }
    }

    /// <summary>The sequence of the ping that is due, if one is.</summary>
    public ulong? NextPing()
    {
        if (Volatile.Read(ref _pongAt) == 0 || (_sent > 0 && time.GetElapsedTime(_pingedAt) < limits.PingInterval))
        {
            return null;
        }

        _pingedAt = time.GetTimestamp();
        return Interlocked.Increment(ref _sent);
    }

    /// <summary>How long the broker has owed a sign of life, once that is too long.</summary>
    public TimeSpan? Overdue()
    {
        var pongAt = Volatile.Read(ref _pongAt);
        var silence = time.GetElapsedTime(pongAt == 0 ? Volatile.Read(ref _heardAt) : pongAt);
        return silence >= (pongAt == 0 ? SilenceTimeout : limits.PongTimeout) ? silence : null;
    }
}
