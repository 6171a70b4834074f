namespace Whip.Agent.Legs;

/// <summary>How many are inside.</summary>
internal sealed class Tally
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public void Enter() => Interlocked.Increment(ref _count);

    public void Leave() => Interlocked.Decrement(ref _count);
}
