using System.Diagnostics.CodeAnalysis;

namespace Whip.Protocol.Legs;

/// <summary>
/// Ends legs whose peer's machine has vanished. TCP's keepalive does that while a leg is idle, and is silent while something is still to be
/// acknowledged; then this looks. A peer that has only stopped reading lives as long as its machine acknowledges. One for each program, or
/// library object, that has legs; its timer runs only while some leg has written since the last look. Owner of the set: the lock.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The timer is idle when no leg is left, so there is nothing to dispose.")]
internal sealed class LegWatch
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>How long a peer may acknowledge nothing although something is outstanding.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private HashSet<Leg> _legs = [];

    public LegWatch(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(static watch => ((LegWatch)watch!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Legs that wrote since the last look, or that have something outstanding.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _legs.Count;
            }
        }
    }

    /// <summary>The leg writes: it is looked at until everything is acknowledged.</summary>
    public void Add(Leg leg)
    {
        lock (_lock)
        {
            if (leg.IsWatched)
            {
                return;
            }

            leg.IsWatched = true;
            leg.SilentSince = _time.GetTimestamp();
            Keep(leg);
        }
    }

    /// <summary>The leg has ended.</summary>
    public void Remove(Leg leg)
    {
        lock (_lock)
        {
            _legs.Remove(leg);
        }
    }

    private void Look()
    {
        HashSet<Leg> looked;
        lock (_lock)
        {
            (looked, _legs) = (_legs, []);
        }

        foreach (var leg in looked)
        {
            LookAt(leg);
        }
    }

    private void LookAt(Leg leg)
    {
        var (since, segments) = (leg.SilentSince, leg.SegmentsSeen);
        leg.IsWatched = false;

        // A write that saw the leg watched has announced itself before: either it is seen here, or it is over and its bytes are.
        Interlocked.MemoryBarrier();
        if (leg.Progress is not { } progress || !(progress.IsOutstanding || leg.IsWriting))
        {
            return;
        }

        var silence = _time.GetElapsedTime(since);
        if (progress.SegmentsReceived != segments)
        {
            since = _time.GetTimestamp();
        }
        else if (progress.IsUnanswered && silence >= Limit)
        {
            leg.Vanished($"the peer's machine has acknowledged nothing for {silence.TotalSeconds:0} s");
            return;
        }

        lock (_lock)
        {
            (leg.IsWatched, leg.SilentSince, leg.SegmentsSeen) = (true, since, progress.SegmentsReceived);
            Keep(leg);
        }
    }

    private void Keep(Leg leg)
    {
        // A leg that ended meanwhile must not stay, and one that ends from here on removes itself.
        if (!leg.HasEnded && _legs.Add(leg) && _legs.Count == 1)
        {
            _timer.Change(Interval, Timeout.InfiniteTimeSpan);
        }
    }
}
