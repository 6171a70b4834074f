namespace Whip.Broker.Dialing;

/// <summary>Limits pending dials and relays, so that neither memory nor descriptors run out.</summary>
internal sealed class DialBudget
{
    private readonly WhipLimits _limits;
    private readonly DialMetrics _metrics;
    private readonly int _maxRelays;
    private int _pending;
    private int _relays;

    public DialBudget(WhipLimits limits, DialMetrics metrics)
    {
        _limits = limits;
        _metrics = metrics;

        // A relay is two descriptors, and a pending dial becomes one.
        _maxRelays = Math.Max(1, (OpenFiles.Limit() - limits.DescriptorReserve) / 2);
    }

    public int Pending => Volatile.Read(ref _pending);

    /// <summary>Waits until no dial is pending. It polls, because only a stop calls it.</summary>
    public async Task WaitForNonePendingAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        while (Pending > 0 && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), time, CancellationToken.None);
        }
    }

    /// <summary>Legs of successful dials that have not ended.</summary>
    public int Relays => Volatile.Read(ref _relays);

    /// <summary>Counts the leg of a dial that succeeded, until it ends.</summary>
    public void Track(Leg leg)
    {
        Interlocked.Increment(ref _relays);
        _metrics.Relays(1);
        leg.OnClosed(() =>
        {
            Interlocked.Decrement(ref _relays);
            _metrics.Relays(-1);
        });
    }

    /// <summary>Counts one dial until the result is disposed; null, with the reason, if the limit is reached.</summary>
    public IDisposable? TryEnter(out string refusal)
    {
        var pending = Interlocked.Increment(ref _pending);
        var relays = Relays;
        refusal = pending > _limits.PendingDials ? $"{_limits.PendingDials} dials are pending at this broker"
            : pending + relays > _maxRelays ? $"{relays} relays are all that the limit of open files allows: raise it"
            : "";
        if (refusal.Length > 0)
        {
            Interlocked.Decrement(ref _pending);
            return null;
        }

        _metrics.Pending(1);
        return new Place(this);
    }

    private sealed class Place(DialBudget budget) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                Interlocked.Decrement(ref budget._pending);
                budget._metrics.Pending(-1);
            }
        }
    }
}
