namespace Whip.Broker.Peers;

/// <summary>
/// The pings of one link that are not answered, on the monotonic clock. The silence counts from the oldest of them and not from the
/// last answer: a broker that was itself held up and sent nothing blames no one. Owner: the lock; reader and pinger come here.
/// </summary>
internal sealed class PeerPings(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Queue<(ulong Sequence, long SentAt)> _unanswered = new();
    private ulong _sequence;

    public ulong Next()
    {
        lock (_lock)
        {
            _unanswered.Enqueue((++_sequence, time.GetTimestamp()));
            return _sequence;
        }
    }

    /// <summary>Takes an answer, which answers the pings before it too; null when it answers nothing that was asked.</summary>
    public TimeSpan? Answered(ulong sequence)
    {
        lock (_lock)
        {
            TimeSpan? roundTrip = null;
            while (sequence <= _sequence && _unanswered.TryPeek(out var ping) && ping.Sequence <= sequence)
            {
                roundTrip = time.GetElapsedTime(ping.SentAt);
                _unanswered.Dequeue();
            }

            return roundTrip;
        }
    }

    public TimeSpan Silence()
    {
        lock (_lock)
        {
            return _unanswered.TryPeek(out var oldest) ? time.GetElapsedTime(oldest.SentAt) : TimeSpan.Zero;
        }
    }
}
