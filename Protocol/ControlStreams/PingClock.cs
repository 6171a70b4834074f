namespace Whip.Protocol.ControlStreams;

/// <summary>
/// When the other end of a control stream was last pinged and last answered, on the monotonic clock. Owner: the lock; one loop pings
/// and another reads the answers. Round trips are measured by sequence, never by the peer's timestamps.
/// </summary>
internal sealed class PingClock(TimeProvider time)
{
    // More pings than can be outstanding before the stream is judged.
    private readonly long[] _sentAt = new long[8];
    private readonly Lock _lock = new();
    private readonly long _startedAt = time.GetTimestamp();
    private long _aliveAt = time.GetTimestamp();
    private ulong _sequence;
    private ulong _answered;
    private TimeSpan _roundTrip;

    /// <summary>How long the oldest ping without an answer has been out; zero when every ping is answered.</summary>
    public TimeSpan Owed
    {
        get
        {
            lock (_lock)
            {
                return _sequence == _answered ? TimeSpan.Zero : time.GetElapsedTime(_sentAt[(_answered + 1) % (ulong)_sentAt.Length]);
            }
        }
    }

    /// <summary>How long the peer has shown no life although it was asked.</summary>
    public TimeSpan Silence
    {
        get
        {
            lock (_lock)
            {
                return _sequence == _answered ? TimeSpan.Zero : time.GetElapsedTime(_aliveAt);
            }
        }
    }

    /// <summary>Takes the sequence of the ping that is due, the first one interval after the start; null when no ping is due.</summary>
    public ulong? NextPing(TimeSpan interval)
    {
        lock (_lock)
        {
            var last = _sequence == 0 ? _startedAt : _sentAt[_sequence % (ulong)_sentAt.Length];
            if (time.GetElapsedTime(last) < interval)
            {
                return null;
            }

            _sequence++;
            _sentAt[_sequence % (ulong)_sentAt.Length] = time.GetTimestamp();
            return _sequence;
        }
    }

    /// <summary>Takes a pong; null when it answers nothing that was asked, or again.</summary>
    /// <returns>The round trip.</returns>
    public TimeSpan? Pong(ulong sequence)
    {
        lock (_lock)
        {
            if (sequence <= _answered || sequence > _sequence || _sequence - sequence >= (ulong)_sentAt.Length)
            {
                return null;
            }

            _answered = sequence;
            _aliveAt = time.GetTimestamp();
            return _roundTrip = time.GetElapsedTime(_sentAt[sequence % (ulong)_sentAt.Length], _aliveAt);
        }
    }

    /// <summary>What there is to see of the stream's life.</summary>
    public PingReading Read()
    {
        lock (_lock)
        {
            return new PingReading(
                time.GetElapsedTime(_startedAt), _answered == 0 ? null : _roundTrip, _answered == 0 ? null : time.GetElapsedTime(_aliveAt));
        }
    }
}

/// <summary>What the pings of one stream show.</summary>
/// <param name="Age">Since the registration.</param>
/// <param name="RoundTrip">Of the last ping that was answered; null before the first.</param>
/// <param name="SincePong">Since that answer.</param>
internal readonly record struct PingReading(TimeSpan Age, TimeSpan? RoundTrip, TimeSpan? SincePong);
