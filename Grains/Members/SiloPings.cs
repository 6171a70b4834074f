namespace Whip.Grains.Members;

/// <summary>
/// How the other silos answer pings. A ping is identified by the time when it was sent, on the monotonic clock; an answer also counts for every ping
/// that was sent earlier. Owner: the lock of <see cref="MemberTable"/>.
/// </summary>
internal sealed class SiloPings(TimeProvider time)
{
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>Three pings.</summary>
    public static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(1.5);

    /// <summary>If the loop of this broker itself was this late, missing answers to earlier pings do not count.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(1);

    private readonly Dictionary<SiloAddress, State> _bySilo = [];
    private long _tickedAt = time.GetTimestamp();
    private long _countsFrom = long.MinValue;

    private bool IsLate => time.GetElapsedTime(_tickedAt) > Interval + Late;

    /// <summary>A ping is about to be sent to every silo.</summary>
    public void Tick()
    {
        var now = time.GetTimestamp();
        if (IsLate)
        {
            _countsFrom = now;
        }

        _tickedAt = now;
    }

    public void Answered(SiloAddress silo, long sentAt)
    {
        if (_bySilo.TryGetValue(silo, out var state))
        {
            _bySilo[silo] = state.Answered(sentAt, time.GetElapsedTime(sentAt));
        }
    }

    /// <summary>A ping failed, or its time limit has passed.</summary>
    public void Unanswered(SiloAddress silo, long sentAt, string problem)
    {
        if (sentAt >= _countsFrom && !IsLate && _bySilo.TryGetValue(silo, out var state))
        {
            _bySilo[silo] = state.Unanswered(sentAt, problem);
        }
    }

    public State Of(SiloAddress silo) => _bySilo.GetValueOrDefault(silo) ?? new State(time.GetTimestamp());

    /// <summary>It has not answered yet, and has had little time to.</summary>
    public bool IsNew(SiloAddress silo) => Of(silo) is { RoundTrip: null } state && time.GetElapsedTime(state.SeenAt) < AnswerTimeout;

    /// <summary>The silos that are active now.</summary>
    public void Follow(IReadOnlyCollection<SiloAddress> silos)
    {
        foreach (var gone in _bySilo.Keys.Except(silos).ToList())
        {
            _bySilo.Remove(gone);
        }

        foreach (var silo in silos)
        {
            _bySilo.TryAdd(silo, new State(time.GetTimestamp()));
        }
    }

    /// <summary>How one silo answers. Immutable.</summary>
    internal sealed record State(long SeenAt)
    {
        public long AnsweredSentAt { get; private init; } = long.MinValue;

        public long UnansweredSentAt { get; private init; } = long.MinValue;

        /// <summary>Of the last ping that was answered; null before that.</summary>
        public TimeSpan? RoundTrip { get; private init; }

        public string Problem { get; private init; } = "it has not answered yet";

        /// <summary>It has not answered yet, or not the last ping whose outcome is known.</summary>
        public bool IsSuspect => RoundTrip is null || UnansweredSentAt > AnsweredSentAt;

        public State Answered(long sentAt, TimeSpan roundTrip) => this with { AnsweredSentAt = Math.Max(AnsweredSentAt, sentAt), RoundTrip = roundTrip };

        public State Unanswered(long sentAt, string problem) => this with { UnansweredSentAt = Math.Max(UnansweredSentAt, sentAt), Problem = problem };
    }
}
