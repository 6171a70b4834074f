using System.Diagnostics.CodeAnalysis;

namespace Whip.Hosting.Listening;

/// <summary>
/// How many TLS handshakes of a listener, or of the agents of a process, are worked on at a time: the rest wait for their turn, so that
/// under a storm those that have begun come to an end. A peer that stalls loses its turn in time, or a few could hold them all.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Nobody asks the semaphore for its wait handle, so there is nothing to dispose.")]
internal sealed class HandshakeSlots(int count, TimeSpan turn, TimeProvider time)
{
    /// <summary>For a listener, whose peers nobody vouches for: a handshake is a millisecond of work and a round trip or two.</summary>
    public static readonly TimeSpan ListenerTurn = TimeSpan.FromMilliseconds(250);

    private readonly SemaphoreSlim _slots = new(count);

    /// <summary>Runs a handshake in its turn. Meanwhile, and when it came to an end in time, the connection is not evicted.</summary>
    public async Task RunAsync(UnauthenticatedGate.Entry entry, Func<Task> handshake, CancellationToken deadline)
    {
        var running = await BeginAsync(() => { entry.Shield(); return handshake(); }, deadline);
        if (!running.IsCompletedSuccessfully)
        {
            entry.Unshield();
        }

        await running;
    }

    /// <summary>Begins a handshake in its turn. Returns it when the turn is over; it may still run.</summary>
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
