using System.Threading.Channels;

namespace Whip.Grains.Index;

/// <summary>
/// Pushes what this broker holds to the grains: each change, with retries until it is acknowledged or the name has changed again, and everything
/// when this broker has a new silo. One worker at a time pushes a name, however often it changes. Owner of the state: the lock.
/// </summary>
internal sealed class HoldingPusher(LocalRoutes local, CurrentSilo current, TimeProvider time)
{
    /// <summary>Calls under way; few enough not to delay dials.</summary>
    private const int Workers = 16;

    /// <summary>For a new silo: 2,000 names a second.</summary>
    private const int NamesPerInterval = 200;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Channel<GrainName> _due = Channel.CreateUnbounded<GrainName>();

    // Every name in the channel or with a worker, which bounds the channel; true: it has changed since the worker read it.
    private readonly Dictionary<GrainName, bool> _pending = [];
    private readonly HashSet<GrainName> _failed = [];
    private readonly HashSet<string> _pushedDomains = [];

    /// <summary>The streams of a client here have changed.</summary>
    public void Changed(InstanceName name)
    {
        lock (_lock)
        {
            Add(new GrainName(name.FullName, IsDomain: false));
            if (local.HoldsDomain(name.Domain) ? _pushedDomains.Add(name.Domain) : _pushedDomains.Remove(name.Domain))
            {
                Add(new GrainName(name.Domain, IsDomain: true));
            }
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        local.Changed += Changed;
        try
        {
            var workers = Enumerable.Range(0, Workers).Select(_ => WorkAsync(cancellationToken));
            await Task.WhenAll([PushAllAsync(cancellationToken), RetryAsync(cancellationToken), .. workers]);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The broker stops.
        }
        finally
        {
            local.Changed -= Changed;
        }
    }

    private void Add(GrainName name)
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

            var isDone = await PushAsync(name, cancellationToken);
            lock (_lock)
            {
                if (_pending.Remove(name, out var hasChanged) && hasChanged)
                {
                    Add(name);
                }
                else if (!isDone)
                {
                    _failed.Add(name);
                }
            }
        }
    }

    /// <returns>False if it has to be repeated. Without a silo it need not be: everything is pushed through the next one.</returns>
    private async Task<bool> PushAsync(GrainName name, CancellationToken cancellationToken)
    {
        if (current.Calls is not { } silo)
        {
            return true;
        }

        try
        {
            var push = name.IsDomain
                ? silo.Grains.GetGrain<IDomainGrain>(name.Text).UpdateAsync(silo.Own.Domain(name.Text))
                : silo.Grains.GetGrain<IClientGrain>(name.Text).UpdateAsync(silo.Own.Client(name.Text));
            await push.WaitAsync(CallTimeout, time, cancellationToken);
            return true;
        }
        catch (Exception error) when (BrokerSilos.IsFailure(error))
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

    private async Task PushAllAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var change = current.WaitForChangeAsync(cancellationToken);
            var held = current.Calls is null ? [] : local.Instances();
            foreach (var part in held.Chunk(NamesPerInterval))
            {
                lock (_lock)
                {
                    foreach (var name in part)
                    {
                        _pushedDomains.Add(name.Domain);
                        Add(new GrainName(name.FullName, IsDomain: false));
                        Add(new GrainName(name.Domain, IsDomain: true));
                    }
                }

                await Task.Delay(Interval, time, cancellationToken);
            }

            await change;
        }
    }

    /// <summary>The grain of a client, or that of a domain.</summary>
    private readonly record struct GrainName(string Text, bool IsDomain);
}
