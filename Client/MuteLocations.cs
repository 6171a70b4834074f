using Whip.Protocol.Names;

namespace Whip.Client;

/// <summary>The targets of redirects that gave no answer. For a while no dial spends a second on asking them again. Owner: the lock.</summary>
internal sealed class MuteLocations(TimeProvider time)
{
    private const int Capacity = 256;

    private static readonly TimeSpan RememberedFor = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly Dictionary<HostPort, long> _since = [];

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _since.Count;
            }
        }
    }

    public void Add(HostPort location)
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

    public bool Contains(HostPort location)
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
