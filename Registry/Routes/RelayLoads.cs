using System.Runtime.InteropServices;
using Whip.Protocol.Names;

namespace Whip.Registry.Routes;

/// <summary>The number of relays from this broker to each instance and domain that has any. Owner: the lock.</summary>
internal sealed class RelayLoads
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _relays = [];

    public void Started(InstanceName name) => Change(name, 1);

    public void Ended(InstanceName name) => Change(name, -1);

    /// <summary>Of an instance or of a domain.</summary>
    public int Of(string name)
    {
        lock (_lock)
        {
            return _relays.GetValueOrDefault(name);
        }
    }

    private void Change(InstanceName name, int by)
    {
        lock (_lock)
        {
            Change(name.FullName, by);
            Change(name.Domain, by);
        }
    }

    private void Change(string name, int by)
    {
        ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(_relays, name, out _);
        count += by;
        if (count == 0)
        {
            _relays.Remove(name);
        }
    }
}
