using System.Net;

namespace Whip.Broker.Rendezvous;

/// <summary>
/// Why legs were refused by their certificate, before they said which dial they are for. The agent only sees that its leg has ended, and says so; the
/// dial then gets the reason. Owner: the lock.
/// </summary>
internal sealed class RefusedLegs(TimeProvider time)
{
    private const int Capacity = 256;

    // The agent's report follows within one round trip.
    private static readonly TimeSpan Life = TimeSpan.FromSeconds(10);

    private readonly Queue<(IPAddress From, string Problem, long At)> _recent = new();
    private readonly Lock _lock = new();

    public void Add(IPAddress from, string problem)
    {
        lock (_lock)
        {
            if (_recent.Count == Capacity)
            {
                _recent.Dequeue();
            }

            _recent.Enqueue((from, problem, time.GetTimestamp()));
        }
    }

    /// <summary>Why the last one from there was refused; null if none was lately.</summary>
    public string? Last(IPAddress from)
    {
        lock (_lock)
        {
            while (_recent.TryPeek(out var oldest) && time.GetElapsedTime(oldest.At) > Life)
            {
                _recent.Dequeue();
            }

            return _recent.LastOrDefault(leg => leg.From.Equals(from)).Problem;
        }
    }
}
