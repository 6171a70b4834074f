namespace Whip.Agent.Homes;

/// <summary>Spreads the agents that find a better home at the same moment, as when a broker is added. One caller, which asks again often.</summary>
internal sealed class MovePacing(TimeProvider time)
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private long? _since;
    private TimeSpan _delay;

    /// <summary>Whether to stay for now: true for a random time from the first call on, after which the move is due.</summary>
    public bool MustWait()
    {
        if (_since is null)
        {
            _since = time.GetTimestamp();
            _delay = Random.Shared.NextDouble() * Longest;
        }

        return time.GetElapsedTime(_since.Value) < _delay;
    }

    /// <summary>The move is made, or no longer to be made.</summary>
    public void Reset() => _since = null;
}
