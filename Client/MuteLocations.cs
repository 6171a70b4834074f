namespace Whip.Client;

/// <summary>The redirects' targets that gave no answer: for a while it is not worth a second of any dial to ask them again.</summary>
internal sealed class MuteLocations(TimeProvider time)
{
    private const int Capacity = 256;

    private static readonly TimeSpan RememberedFor = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _since = [];

    public int Count => _since.Count;

    public void Add(string location)
    {
        lock (_lock)
        {
            if (_since.Count >= Capacity && !_since.ContainsKey(location))
            {
                _since.Remove(_since.MinBy(entry => entry.Value).Key);
            }

            _since[location] = time.GetTimestamp();
        }
    }

    public bool Contains(string location)
    {
        lock (_lock)
        {
            if (!_since.TryGetValue(location, out var since))
            {
                return false;
            }

            return time.GetElapsedTime(since) < RememberedFor || !_since.Remove(location);
        }
    }
}
