namespace Whip.Registry.Routes;

/// <summary>The dials that wait for a name of this broker. Owner: the lock.</summary>
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

    public void Wake(string name)
    {
        lock (_lock)
        {
            if (_byName.Remove(name, out var watches))
            {
                foreach (var watch in watches)
                {
                    watch.Complete();
                }
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
        // Asynchronous continuations: they resolve the name, and the lock is held here.
        private readonly TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Name { get; } = name;

        public Task Woken => _woken.Task;

        public void Complete() => _woken.TrySetResult();

        public void Dispose() => owner.Remove(this);
    }
}
