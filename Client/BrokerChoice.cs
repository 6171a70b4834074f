namespace Whip.Client;

/// <summary>
/// Which of several brokers a dial asks next: the one that answered last, then the others in order. A broker that failed recently comes last,
/// until a dial finds that it answers again.
/// </summary>
internal sealed class BrokerChoice(int count, int first, TimeProvider time)
{
    // A broker restarts in seconds. Meanwhile a dead one must not cost every dial its second.
    private static readonly TimeSpan PassedOverFor = TimeSpan.FromSeconds(5);

    // Timestamps; zero for a broker that has not failed.
    private readonly long[] _passedOverUntil = new long[count];
    private int _lastAnswered = first;

    /// <param name="tried">By broker; at least one is false.</param>
    public int Next(ReadOnlySpan<bool> tried)
    {
        var first = Volatile.Read(ref _lastAnswered);
        var last = -1;
        for (var i = 0; i < count; i++)
        {
            var at = (first + i) % count;
            if (!tried[at])
            {
                if (IsDue(at))
                {
                    return at;
                }

                last = last < 0 ? at : last;
            }
        }

        return last;
    }

    /// <summary>The next dial starts here.</summary>
    public void Answered(int at)
    {
        Volatile.Write(ref _passedOverUntil[at], 0);
        Volatile.Write(ref _lastAnswered, at);
    }

    public void Failed(int at) => Volatile.Write(ref _passedOverUntil[at], Later());

    /// <summary>After the time has passed one dial gets the broker; the others pass it over for as long again.</summary>
    private bool IsDue(int at)
    {
        var until = Volatile.Read(ref _passedOverUntil[at]);
        return until == 0
            || (time.GetTimestamp() >= until && Interlocked.CompareExchange(ref _passedOverUntil[at], Later(), until) == until);
    }

    private long Later() => time.GetTimestamp() + (long)(PassedOverFor.TotalSeconds * time.TimestampFrequency);
}
