using System.Buffers;
using Whip.Protocol.Legs;

namespace Whip.Protocol.Kept;

/// <summary>
/// The stream of the side that asked for the dial. Disposed, it ends its direction and lets the connection finish in the background; whoever had
/// the stream can reach no later dial with it.
/// </summary>
/// <param name="leg">The connection, past the head that answered.</param>
/// <param name="time">The clock of the finish.</param>
/// <param name="finished">Called when the dial is done and the connection is idle. One that cannot be used again is reset instead.</param>
internal sealed partial class AskingStream(Leg leg, TimeProvider time, Action finished) : FramedStream(leg)
{
    private const string AfterEnd = "sent more after its end, or broke";
    private const int MaxDropped = 64 * 1024;
    private const int PieceSize = 4 * 1024;

    private static readonly TimeSpan FinishTimeout = TimeSpan.FromSeconds(1);

    // As long as Linux keeps a socket that its program has closed and the peer has not.
    private static readonly TimeSpan ForgottenAfter = TimeSpan.FromSeconds(60);

    private Action? _released;
    private Action<string>? _broken;

    // Disposed or reset: the first of them counts.
    private int _isLeft;

    /// <summary>After a dispose: completes when the connection is idle again, or reset. Never fails.</summary>
    public Task Finishing { get; private set; } = Task.CompletedTask;

    public override ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default) =>
        TryEnd(isLate: false) ? WriteEndAsync(isDone: false, cancellationToken) : ValueTask.CompletedTask;

    internal override ValueTask DeliveredAsync(Action<string> broken)
    {
        Interlocked.Exchange(ref _broken, broken);
        return Leg.HasEnded && !IsEnded ? throw Broken(AfterEnd) : ValueTask.CompletedTask;
    }

    internal override void OnReleased(Action callback) => _released += callback;

    /// <summary>Resets the connection. After a dispose it disturbs neither what was sent nor the next dial.</summary>
    public override void Abort()
    {
        if (TryLeave())
        {
            base.Abort();
            Release();
        }
    }

    /// <summary>Returns when the end of our direction is written, or after a second; a slow peer gets it later.</summary>
    public override async ValueTask DisposeAsync()
    {
        if (TryDie(out var isTorn))
        {
            TryLeave();
            var ending = EndAsync(isTorn);
            Finishing = FinishAsync(ending);
            await ending.WaitAsync(FinishTimeout, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && TryDie(out var isTorn))
        {
            TryLeave();
            Finishing = FinishAsync(EndAsync(isTorn));
        }

        base.Dispose(disposing);
    }

    /// <summary>Until our own end the peer has nothing more to say.</summary>
    protected override void OnPeerEnded()
    {
        if (IsEnded)
        {
            return;
        }

        if (HasBytesBehind)
        {
            throw Broken(AfterEnd);
        }

        _ = WatchAsync();
    }

    private static bool IsBreak(Exception error) =>
        error is IOException or ObjectDisposedException or OperationCanceledException or InvalidOperationException;

    private async Task WatchAsync()
    {
        try
        {
            await Leg.WaitReadableAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (IsBreak(error))
        {
            // As bad as a frame.
        }

        if (!IsEnded)
        {
            // Before the relay is told: should it only now begin to listen, it finds the leg ended.
            Leg.Abort();
            _broken?.Invoke($"the peer of a kept connection {AfterEnd}");
        }
    }

    /// <summary>Never fails: a failure has reset the connection.</summary>
    private async Task EndAsync(bool isTorn)
    {
        if (isTorn)
        {
            Leg.Abort();
        }
        else if (TryEnd(isLate: true))
        {
            using var limit = new CancellationTokenSource(ForgottenAfter, time);
            try
            {
                await WriteEndAsync(isDone: false, limit.Token).ConfigureAwait(false);
            }
            catch (Exception error) when (IsBreak(error))
            {
            }
        }
    }

    private async Task FinishAsync(Task ending)
    {
        using var soon = new CancellationTokenSource(FinishTimeout, time);
        try
        {
            await ending.ConfigureAwait(false);
            await DropRestAsync(soon.Token).ConfigureAwait(false);
            var isKept = await IsSoonDoneAsync(soon.Token).ConfigureAwait(false);
            if (HasBytesBehind)
            {
                throw Broken("sent more after its dial was done");
            }

            if (isKept)
            {
                // No longer this dial's, before it is another's.
                Release();
                finished();
            }
            else
            {
                Leg.Abort();
            }
        }
        catch (Exception error) when (IsBreak(error))
        {
            Leg.Abort();
        }
        finally
        {
            Release();
        }
    }

    /// <summary>
    /// Drops what still comes before the peer's end: a little of it and for a second, else the connection is reset, as close() does with data under
    /// way. When nothing comes, nothing is under way: as after close(), the peer may take its time to read what it was sent and to end.
    /// </summary>
    private async Task DropRestAsync(CancellationToken soon)
    {
        var piece = ArrayPool<byte>.Shared.Rent(PieceSize);
        var dropped = 0;
        try
        {
            while (!IsPeerEnded && dropped <= MaxDropped)
            {
                dropped += await TakeAsync(piece, isLate: true, soon).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (dropped == 0)
        {
            using var forgotten = new CancellationTokenSource(ForgottenAfter, time);
            dropped = await TakeAsync(piece, isLate: true, forgotten.Token).ConfigureAwait(false) > 0 ? MaxDropped + 1 : 0;
        }

        ArrayPool<byte>.Shared.Return(piece);
        if (dropped > MaxDropped)
        {
            throw Broken("goes on sending to a stream that was disposed");
        }
    }

    /// <summary>False: the peer took its time to write everything to the other side. It was not disturbed, but the connection is of no use by now.</summary>
    private async ValueTask<bool> IsSoonDoneAsync(CancellationToken soon)
    {
        try
        {
            await ReadDoneAsync(soon).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!Leg.HasEnded)
        {
            await ReadDoneAsync(CancellationToken.None).ConfigureAwait(false);
            return false;
        }
    }

    private bool TryLeave() => Interlocked.Exchange(ref _isLeft, 1) == 0;

    private void Release() => Interlocked.Exchange(ref _released, null)?.Invoke();
}
