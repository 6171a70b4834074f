using Whip.Hosting;
using Whip.Protocol.ControlStreams;

namespace Whip.Agent.ControlStreams;

/// <summary>
/// Judges whether the broker still lives. Until it shows that it answers pings, only long silence counts: an original server
/// pings every 20 seconds and answers nothing. The stream's reader and its watch call it beside each other.
/// </summary>
internal sealed class Liveness(WhipLimits limits, TimeProvider time)
{
    private static readonly TimeSpan SilenceTimeout = TimeSpan.FromSeconds(75);

    private long _heardAt = time.GetTimestamp();
    private volatile PingClock? _pings;

    /// <summary>A message of any kind came.</summary>
    public void Heard() => Volatile.Write(ref _heardAt, time.GetTimestamp());

    /// <summary>The broker is one of ours: from now on it is pinged and owes pongs.</summary>
    public void ExpectPongs() => _pings ??= new PingClock(time);

    public void Ponged(ulong sequence) => _pings?.Pong(sequence);

    /// <summary>The sequence of the ping that is due, if one is.</summary>
    public ulong? NextPing() => _pings?.NextPing(limits.PingInterval);

    /// <summary>How long the broker has owed a sign of life, once that is too long.</summary>
    public TimeSpan? Overdue()
    {
        var (silence, timeout) = _pings is { } pings
            ? (pings.Silence, limits.PongTimeout)
            : (time.GetElapsedTime(Volatile.Read(ref _heardAt)), SilenceTimeout);
        return silence >= timeout ? silence : null;
    }
}
