using System.Diagnostics.CodeAnalysis;

namespace Whip.Hosting.Listening;

/// <summary>
/// How many TLS handshakes of a listener are worked on at a time: the rest wait for their turn, so that under a storm those that
/// have begun come to an end. A peer that stalls loses its turn after a quarter of a second, or a few could hold them all.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Nobody asks the semaphore for its wait handle, so there is nothing to dispose.")]
internal sealed class HandshakeSlots(int count, TimeProvider time)
{
    // A handshake is a millisecond of work and a round trip or two.
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(250);

    private readonly SemaphoreSlim _slots = new(count);

    /// <summary>Runs a handshake in its turn. Meanwhile, and when it came to an end in time, the connection is not evicted.</summary>
    public async Task RunAsync(UnauthenticatedGate.Entry entry, Func<Task> handshake, CancellationToken deadline)
    {
        await _slots.WaitAsync(deadline);
        Task running;
        try
        {
            entry.Shield();
            running = handshake();
            await running.WaitAsync(Turn, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            _slots.Release();
        }

        if (!running.IsCompletedSuccessfully)
        {
            entry.Unshield();
        }

        await running;
    }
}
