namespace Whip.Broker.ControlStreams;

/// <summary>
/// When one stream was last pinged and last answered, on the monotonic clock. Owner: the lock; the pinger and the stream's
/// reader both come here. Round trips are told by sequence, never by the peer's timestamps.
/// </summary>
internal sealed class PingClock
{
    // More pings than can be outstanding before the stream is judged.
    private readonly long[] _sentAt = new long[8];
    private readonly Lock _lock = new();
    private ulong _sequence;
    private ulong _answered;
    private long _startedAt;
    private long _aliveAt;
    private TimeSpan _roundTrip;

    /// <summary>Begins: the registration itself was a sign of life.</summary>
    public void Start(long now)
    {
        lock (_lock)
        {
            _startedAt = _aliveAt = now;
        }
    }

    /// <summary>Whether a ping is due; then its sequence is taken and its time noted.</summary>
    public bool TryPing(TimeProvider time, TimeSpan interval, out ulong sequence)
    {
        lock (_lock)
        {
            var last = _sequence == 0 ? _aliveAt : _sentAt[_sequence % (ulong)_sentAt.Length];
            sequence = _sequence + 1;
            if (time.GetElapsedTime(last) < interval)
            {
                return false;
            }

            _sequence = sequence;
            _sentAt[sequence % (ulong)_sentAt.Length] = time.GetTimestamp();
            return true;
        }
    }

    /// <summary>Takes a pong; null when it answers nothing that was asked, or again.</summary>
    public TimeSpan? Pong(TimeProvider time, ulong sequence)
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

    /// <summary>How long the oldest ping without an answer has been out; zero if there is none.</summary>
    public TimeSpan Owed(TimeProvider time)
    {
        lock (_lock)
        {
            return _sequence == _answered ? TimeSpan.Zero : time.GetElapsedTime(_sentAt[(_answered + 1) % (ulong)_sentAt.Length]);
        }
    }

    /// <summary>How long the peer has shown no life although it was asked.</summary>
    public TimeSpan Silence(TimeProvider time)
    {
        lock (_lock)
        {
            return _sequence == _answered ? TimeSpan.Zero : time.GetElapsedTime(_aliveAt);
        }
    }

    /// <summary>What there is to see of the stream's life.</summary>
    public PingReading Read(TimeProvider time)
    {
        lock (_lock)
        {
            return new PingReading(
                time.GetElapsedTime(_startedAt), _answered == 0 ? null : _roundTrip, _answered == 0 ? null : time.GetElapsedTime(_aliveAt));
        }
    }
}
