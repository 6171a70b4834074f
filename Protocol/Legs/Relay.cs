namespace Whip.Protocol.Legs;

/// <summary>
/// Splices two streams into one. An end of stream on one side becomes exactly that on the other; anything else becomes a reset
/// of both. The relay owns both streams from the first line on, and ends them.
/// </summary>
internal sealed class Relay
{
    private readonly RelayContext _context;
    private readonly RelayDirection _aToB;
    private readonly RelayDirection _bToA;
    private readonly Lock _lock = new();
    private RelayEnd _end = RelayEnd.Clean;
    private string _detail = "";
    private long _lastByte;

    private Relay(WhipStream a, WhipStream b, RelayContext context)
    {
        _context = context;
        _aToB = new RelayDirection(this, a, b, context.Buffers, context.AToB);
        _bToA = new RelayDirection(this, b, a, context.Buffers, context.BToA);
    }

    /// <summary>Runs until both directions have ended. <paramref name="cut"/> resets both sides. Never throws.</summary>
    public static Task<RelayResult> RunAsync(WhipStream a, WhipStream b, RelayContext context, CancellationToken cut) =>
        new Relay(a, b, context).RunAsync(cut);

    /// <summary>A direction has written what it read.</summary>
    public void Passed() => Volatile.Write(ref _lastByte, _context.Time.GetTimestamp());

    /// <summary>Resets both sides. The first reason is kept; the resets wake the other direction, whose own failure then comes second.</summary>
    public void Fail(RelayEnd end, string detail)
    {
        lock (_lock)
        {
            if (_end == RelayEnd.Clean)
            {
                _end = end;
                _detail = detail;
            }
        }

        _aToB.From.Abort();
        _aToB.To.Abort();
    }

    /// <summary>The side that a direction reads from has broken its connection, after the end of that direction.</summary>
    public void Broken(RelayDirection direction, string detail) => Fail(direction == _aToB ? RelayEnd.AReset : RelayEnd.BReset, detail);

    private async Task<RelayResult> RunAsync(CancellationToken cut)
    {
        using var registration = cut.UnsafeRegister(static state => ((Relay)state!).Fail(RelayEnd.Cut, "cut"), this);
        var forward = RunAsync(_aToB);
        var backward = RunAsync(_bToA);
        await Task.WhenAny(forward, backward).ConfigureAwait(false);
        if (_end == RelayEnd.Clean)
        {
            await WatchHalfOpenAsync(forward.IsCompleted ? backward : forward).ConfigureAwait(false);
        }

        await Task.WhenAll(forward, backward).ConfigureAwait(false);
        await _aToB.From.DisposeAsync().ConfigureAwait(false);
        await _aToB.To.DisposeAsync().ConfigureAwait(false);
        return new RelayResult(_end, _aToB.Bytes, _bToA.Bytes, _detail);
    }

    private async Task WatchHalfOpenAsync(Task remaining)
    {
        Passed();
        while (!remaining.IsCompleted)
        {
            var left = _context.HalfOpenTimeout - _context.Time.GetElapsedTime(Volatile.Read(ref _lastByte));
            if (left <= TimeSpan.Zero)
            {
                Fail(RelayEnd.HalfOpenTimeout, "half-closed and silent for too long");
                return;
            }

            await remaining.WaitAsync(left, _context.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task RunAsync(RelayDirection direction)
    {
        try
        {
            await direction.PumpAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            var isA = direction.IsWriting == (direction == _bToA);
            Fail(isA ? RelayEnd.AReset : RelayEnd.BReset, Names.Printable.Clean(error.GetBaseException().Message));
        }
    }
}

/// <summary>How a relay ended and what it carried.</summary>
/// <param name="End">The first close reason.</param>
/// <param name="BytesAToB">Bytes read from A and written to B.</param>
/// <param name="BytesBToA">Bytes read from B and written to A.</param>
/// <param name="Detail">The failure in a few words for a log; empty when clean.</param>
internal readonly record struct RelayResult(RelayEnd End, long BytesAToB, long BytesBToA, string Detail);

/// <summary>Why a relay ended; the first reason wins.</summary>
internal enum RelayEnd
{
    /// <summary>Both directions ended with their sender's end of stream.</summary>
    Clean,

    /// <summary>Side A was reset, timed out, or ended TLS without close_notify.</summary>
    AReset,

    /// <summary>Side B was reset, timed out, or ended TLS without close_notify.</summary>
    BReset,

    /// <summary>The owner cut it: a drain or a stop.</summary>
    Cut,

    /// <summary>One direction had ended and the other carried nothing for too long.</summary>
    HalfOpenTimeout,

    /// <summary>Its reader had stopped, and the relays of the program kept too many bytes for such readers.</summary>
    Blocked,
}

/// <summary>What all relays of one program share.</summary>
/// <param name="Buffers">Where they rent.</param>
/// <param name="Time">The clock of the half-open timeout.</param>
/// <param name="HalfOpenTimeout">How long a half-closed relay may carry nothing.</param>
/// <param name="AToB">Told of bytes as they were written, so that a long relay is seen before it ends.</param>
/// <param name="BToA">The same for the other direction.</param>
internal sealed record RelayContext(
    RelayBuffers Buffers, TimeProvider Time, TimeSpan HalfOpenTimeout, Action<long>? AToB = null, Action<long>? BToA = null);
