using System.Diagnostics.CodeAnalysis;

namespace Whip.Hosting.Listening;

/// <summary>
/// Limits how many TLS handshakes of a listener, or of the agents of a process, run at a time. The rest wait for their turn, so that under
/// load those that have started complete. A peer that stalls loses its turn after a time, so that a few cannot hold all turns.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The wait handle of the semaphore is not used, so there is nothing to dispose.")]
internal sealed class HandshakeSlots(int count, TimeSpan turn, TimeProvider time)
{
    /// <summary>The turn at a listener, whose peers are not trusted: a handshake takes about a millisecond of work and one or two round trips.</summary>
    public static readonly TimeSpan ListenerTurn = TimeSpan.FromMilliseconds(250);

    // Running handshakes are not evicted: they must leave room for others, however few descriptors there are.
    private const int Part = 8;
    private const int Few = 4;

    private readonly SemaphoreSlim _slots = new(count);

    public static HandshakeSlots OfListener(WhipLimits limits, DescriptorBudget descriptors, TimeProvider time)
    {
        var most = limits.HandshakesPerCore * Environment.ProcessorCount;
        return new HandshakeSlots(Math.Clamp((descriptors.Limit - DescriptorBudget.Least) / Part, Math.Min(Few, most), most), ListenerTurn, time);
    }

    /// <summary>Runs a handshake in its turn. The connection is not evicted during the turn, nor afterwards if the handshake has completed.</summary>
    public async Task RunAsync(UnauthenticatedGate.Entry entry, Func<Task> handshake, CancellationToken deadline)
    {
        var running = await BeginAsync(() => { entry.Shield(); return handshake(); }, deadline);
        if (!running.IsCompletedSuccessfully)
        {
            entry.Unshield();
        }

        await running;
    }

    /// <summary>Starts a handshake in its turn, and returns it when the turn is over. It may still be running.</summary>
    public async Task<Task> BeginAsync(Func<Task> handshake, CancellationToken deadline)
    {
        await _slots.WaitAsync(deadline);
        try
        {
            var running = handshake();
            await running.WaitAsync(turn, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return running;
        }
        finally
        {
            _slots.Release();
        }
    }
}
