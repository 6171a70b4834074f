namespace Whip.Registry.Routes;

/// <summary>Dials that wait for a name, woken by that name alone. Owner: the lock.</summary>
internal sealed class RouteWatches(int maxPerName)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, HashSet<Watch>> _byName = [];

    public IRouteWatch? Add(string name)
    {
        lock (_lock)
        {
            if (!_byName.TryGetValue(name, out var watches))
            {
                _byName[name] = watches = [];
            }

            if (watches.Count >= maxPerName)
            {
                return null;
            }

            var watch = new Watch(this, name);
            watches.Add(watch);
            return watch;
        }
    }

    /// <summary>Wakes the dials that wait for the instance or for its domain.</summary>
    public void Announce(StreamRoute route)
    {
        lock (_lock)
        {
            Wake(route.Name.FullName);
            Wake(route.Name.Domain);
        }
    }

    private void Wake(string name)
    {
        if (_byName.Remove(name, out var watches))
        {
            foreach (var watch in watches)
            {
                watch.Complete();
            }
        }
    }

    private void Remove(Watch watch)
    {
        lock (_lock)
        {
            if (_byName.TryGetValue(watch.Name, out var watches) && watches.Remove(watch) && watches.Count == 0)
            {
                _byName.Remove(watch.Name);
            }
        }
    }

    private sealed class Watch(RouteWatches owner, string name) : IRouteWatch
    {
        // Continuations run elsewhere: they resolve again, and the lock is held here.
        private readonly TaskCompletionSource _announced = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Name { get; } = name;

        public Task Announced => _announced.Task;

        public void Complete() => _announced.TrySetResult();

        public void Dispose() => owner.Remove(this);
    }
}
