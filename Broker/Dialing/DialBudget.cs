namespace Whip.Broker.Dialing;

/// <summary>Limits pending dials, so that neither memory nor descriptors run out, and counts relays.</summary>
internal sealed class DialBudget(WhipLimits limits, DescriptorBudget descriptors, DialMetrics metrics)
{
    private int _pending;
    private int _relays;

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
    public void Track(WhipStream leg)
    {
        Interlocked.Increment(ref _relays);
        metrics.Relays(1);
        leg.OnReleased(() =>
        {
            Interlocked.Decrement(ref _relays);
            metrics.Relays(-1);
        });
    }

    /// <summary>Counts one dial, and reserves the place of its leg, until the result is disposed; null, with the reason, if the limit is reached.</summary>
    public IDisposable? TryEnter(out string refusal)
    {
        var pending = Interlocked.Increment(ref _pending);
        refusal = pending > limits.PendingDials ? $"{limits.PendingDials} dials are pending at this broker"
            : !descriptors.TryReserve() ? $"all {descriptors.Size} descriptors that connections may take at this broker are in use"
            : "";
        if (refusal.Length > 0)
        {
            Interlocked.Decrement(ref _pending);
            return null;
        }

        metrics.Pending(1);
        return new Place(this, descriptors, metrics);
    }

    private sealed class Place(DialBudget budget, DescriptorBudget descriptors, DialMetrics metrics) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                Interlocked.Decrement(ref budget._pending);
                descriptors.Unreserve();
                metrics.Pending(-1);
            }
        }
    }
}
