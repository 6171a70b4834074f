using System.Threading.Channels;
using Whip.Grains.Silo;
using Whip.Protocol.Names;
using Whip.Registry.Routes;

namespace Whip.Grains.Index;

/// <summary>
/// Tells the grains what this broker holds: when it changes, when the silos of the cluster change, and again every 15 to 30
/// seconds, for a grain forgets when its silo goes. Nobody waits for it. A name is announced by one worker at a time, however
/// often it changes meanwhile. Owner of what is due: the lock.
/// </summary>
internal sealed class Announcer(LocalRoutes local, CurrentSilo current, TimeProvider time)
{
    /// <summary>Calls under way: few enough for dials not to feel them.</summary>
    private const int Workers = 16;

    // A round takes ten seconds, however many names there are.
    private const int PartsOfRound = 100;

    private static readonly TimeSpan PartInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RoundLeast = TimeSpan.FromSeconds(15);

    private readonly Lock _lock = new();
    private readonly Channel<AnnouncedName> _due = Channel.CreateUnbounded<AnnouncedName>();

    // Every name in the channel or in a worker's hands, which bounds the channel; true: it has changed since the worker looked.
    private readonly Dictionary<AnnouncedName, bool> _pending = [];
    private readonly HashSet<AnnouncedName> _failed = [];
    private readonly HashSet<string> _toldDomains = [];

    /// <summary>A client's streams here have changed.</summary>
    public void Changed(InstanceName name)
    {
        lock (_lock)
        {
            Add(new AnnouncedName(name.FullName, IsDomain: false));
            if (local.HoldsDomain(name.Domain) ? _toldDomains.Add(name.Domain) : _toldDomains.Remove(name.Domain))
            {
                Add(new AnnouncedName(name.Domain, IsDomain: true));
            }
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAll([RepeatAsync(cancellationToken), RetryAsync(cancellationToken), .. Enumerable.Range(0, Workers).Select(_ => WorkAsync(cancellationToken))]);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The broker stops.
        }
    }

    private void Add(AnnouncedName name)
    {
        if (_pending.TryAdd(name, false))
        {
            _due.Writer.TryWrite(name);
        }
        else
        {
            _pending[name] = true;
        }
    }

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        await foreach (var name in _due.Reader.ReadAllAsync(cancellationToken))
        {
            lock (_lock)
            {
                _pending[name] = false;
            }

            var isTold = await AnnounceAsync(name, cancellationToken);
            lock (_lock)
            {
                if (_pending.Remove(name, out var hasChanged) && hasChanged)
                {
                    Add(name);
                }
                else if (!isTold)
                {
                    _failed.Add(name);
                }
            }
        }
    }

    /// <summary>Whether it need not be tried again: without a silo there is nobody to tell, and the next silo is told everything.</summary>
    private async Task<bool> AnnounceAsync(AnnouncedName name, CancellationToken cancellationToken)
    {
        if (current.Calls is not { } silo)
        {
            return true;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(CallTimeout);
        try
        {
            var announced = name.IsDomain
                ? silo.Grains.GetGrain<IDomainGrain>(name.Text).AnnounceAsync(silo.Own.Domain(name.Text), limit.Token)
                : silo.Grains.GetGrain<IClientGrain>(name.Text).AnnounceAsync(silo.Own.Client(name.Text), limit.Token);
            await announced.WaitAsync(limit.Token);
            return true;
        }
        catch (Exception error) when (SiloFailure.IsExpected(error))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return false;
        }
    }

    private async Task RetryAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(RetryInterval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            lock (_lock)
            {
                foreach (var name in _failed)
                {
                    Add(name);
                }

                _failed.Clear();
            }
        }
    }

    private async Task RepeatAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var change = current.WaitForChangeAsync(cancellationToken);
            List<AnnouncedName> names = [.. local.Domains().Select(name => new AnnouncedName(name, true)), .. local.Instances().Select(name => new AnnouncedName(name, false))];
            foreach (var part in names.Chunk((names.Count / PartsOfRound) + 1))
            {
                lock (_lock)
                {
                    Array.ForEach(part, Add);
                }

                await Task.Delay(PartInterval, time, cancellationToken);
            }

            var pause = RoundLeast * (1 + Random.Shared.NextDouble());
            await change.WaitAsync(pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }
}
