using System.Runtime.InteropServices;
using Whip.Registry.Routes;

namespace Whip.Registry.Holders;

/// <summary>
/// The names that dials wait for at this broker. Every 2 seconds their grains are asked to notify this broker, which wakes the dials within milliseconds
/// of a registration; and all brokers are asked, because a notification may be lost with a grain. Owner: the lock.
/// </summary>
internal sealed class NameWaits(LocalRoutes local, IOtherBrokers others, ReportCache cache, TimeProvider time, CancellationToken stopping)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();

    // How many dials wait for each name. A name stays at 0 until its loop removes it, because a dial that resolves again is back at once.
    private readonly Dictionary<string, int> _dials = [];
    private readonly Dictionary<string, Task> _loops = [];

    /// <returns>Null if too many dials wait for the name.</returns>
    public IRouteWatch? Add(string name)
    {
        if (local.Watch(name) is not { } watch)
        {
            return null;
        }

        lock (_lock)
        {
            ref var dials = ref CollectionsMarshal.GetValueRefOrAddDefault(_dials, name, out var isRunning);
            dials++;
            if (!isRunning)
            {
                _loops[name] = Task.Run(() => RepeatAsync(name), CancellationToken.None);
            }
        }

        return new Wait(this, watch, name);
    }

    /// <summary>Completes when every loop has ended, after stopping was cancelled.</summary>
    public Task WhenStopped()
    {
        lock (_lock)
        {
            return Task.WhenAll(_loops.Values);
        }
    }

    private async Task RepeatAsync(string name)
    {
        // The dial itself has just asked.
        others.LeaveWord(name);
        await PauseAsync();
        while (IsWaitedFor(name))
        {
            others.LeaveWord(name);
            if (await IsHeldAsync(name))
            {
                local.Wake(name);
            }

            await PauseAsync();
        }
    }

    private async Task PauseAsync() => await Task.Delay(Interval, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private bool IsWaitedFor(string name)
    {
        lock (_lock)
        {
            if (_dials[name] > 0 && !stopping.IsCancellationRequested)
            {
                return true;
            }

            _dials.Remove(name);
            _loops.Remove(name);
            return false;
        }
    }

    private async Task<bool> IsHeldAsync(string name)
    {
        try
        {
            var reports = await cache.GetAsync(new NameQuery(name, Port: 0), isFresh: true, stopping);
            await reports.All;
            return reports.HasFindings;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private void Remove(string name)
    {
        lock (_lock)
        {
            // It is not there any more when the broker stops.
            if (_dials.TryGetValue(name, out var dials))
            {
                _dials[name] = dials - 1;
            }
        }
    }

    private sealed class Wait(NameWaits owner, IRouteWatch watch, string name) : IRouteWatch
    {
        public Task Woken => watch.Woken;

        public void Dispose()
        {
            watch.Dispose();
            owner.Remove(name);
        }
    }
}
