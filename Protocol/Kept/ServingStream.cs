using Whip.Protocol.Legs;

namespace Whip.Protocol.Kept;

/// <summary>
/// The stream of the side that serves the dial, for a <see cref="Relay"/>. When both directions have ended and everything of the dial is written to
/// the other side, it says that the dial is done, and the connection waits for the next one.
/// </summary>
internal sealed partial class ServingStream(Leg leg) : FramedStream(leg)
{
    // Counted after the last write of a direction, so that whoever counts the second one is the only one that writes.
    private int _finished;
    private volatile bool _mayBeAsked;

    /// <summary>The dial is done and the connection idle. Disposed before, it resets the connection.</summary>
    public bool IsDone { get; private set; }

    public override async ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default)
    {
        if (!TryEnd(isLate: false))
        {
            return;
        }

        if (Volatile.Read(ref _finished) == 1)
        {
            // The next dial may be asked for before our write has returned.
            _mayBeAsked = true;
            await WriteEndAsync(isDone: true, cancellationToken).ConfigureAwait(false);
            IsDone = true;
            return;
        }

        await WriteEndAsync(isDone: false, cancellationToken).ConfigureAwait(false);
        await FinishOneAsync().ConfigureAwait(false);
    }

    internal override async ValueTask DeliveredAsync(Action<string> broken)
    {
        if (HasBytesBehind)
        {
            throw Broken("sent more after its end");
        }

        if (!await FinishOneAsync().ConfigureAwait(false))
        {
            _ = WatchAsync(broken);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && TryDie(out _) && !IsDone)
        {
            Leg.Abort();
        }

        base.Dispose(disposing);
    }

    private async ValueTask<bool> FinishOneAsync()
    {
        if (Interlocked.Increment(ref _finished) < 2)
        {
            return false;
        }

        _mayBeAsked = true;
        await WriteDoneAsync(CancellationToken.None).ConfigureAwait(false);
        IsDone = true;
        return true;
    }

    /// <summary>Until the dial is done its peer has nothing more to say. The wait is gone on with by whoever reads the next head.</summary>
    private async Task WatchAsync(Action<string> broken)
    {
        try
        {
            await Leg.WaitReadableAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // As bad as a frame.
        }

        if (!_mayBeAsked)
        {
            broken("the peer of a kept connection sent more after its end, or broke");
        }
    }
}
