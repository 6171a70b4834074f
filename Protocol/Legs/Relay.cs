namespace Whip.Protocol.Legs;

/// <summary>
/// Splices two streams into one. An end of stream on one side becomes exactly that on the other; anything else becomes a reset
/// of both. An idle direction holds no buffer. The relay owns both streams from the first line on, and ends them.
/// </summary>
internal sealed class Relay
{
    // 256 KiB costs the least CPU per byte between plain sockets; TLS never returns more than one 16 KiB record.
    private const int PlainBufferSize = 256 * 1024;
    private const int TlsBufferSize = 16 * 1024;

    private readonly RelayContext _context;
    private readonly Direction _aToB;
    private readonly Direction _bToA;
    private readonly Lock _lock = new();
    private RelayEnd _end = RelayEnd.Clean;
    private string _detail = "";
    private long _lastByte;

    private Relay(WhipStream a, WhipStream b, RelayContext context)
    {
        _context = context;
        _aToB = new Direction(a, b, RelayEnd.AReset, RelayEnd.BReset, context.AToB);
        _bToA = new Direction(b, a, RelayEnd.BReset, RelayEnd.AReset, context.BToA);
    }

    /// <summary>Runs until both directions have ended. <paramref name="cut"/> resets both sides. Never throws.</summary>
    public static Task<RelayResult> RunAsync(WhipStream a, WhipStream b, RelayContext context, CancellationToken cut) =>
        new Relay(a, b, context).RunAsync(cut);

    private async Task<RelayResult> RunAsync(CancellationToken cut)
    {
        using var registration = cut.UnsafeRegister(static state => ((Relay)state!).Fail(RelayEnd.Cut, "cut"), this);
        var forward = PumpAsync(_aToB);
        var backward = PumpAsync(_bToA);
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
        Volatile.Write(ref _lastByte, _context.Time.GetTimestamp());
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

    private async Task PumpAsync(Direction direction)
    {
        var size = direction.From is Leg { IsTls: false } ? PlainBufferSize : TlsBufferSize;
        var blamed = direction.FromFailed;
        try
        {
            while (true)
            {
                blamed = direction.FromFailed;
                await direction.From.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false);
                var buffer = _context.Buffers.Rent(size);
                try
                {
                    var read = await direction.From.ReadAsync(buffer).ConfigureAwait(false);
                    blamed = direction.ToFailed;
                    if (read == 0)
                    {
                        await direction.To.CompleteWritesAsync().ConfigureAwait(false);
                        return;
                    }

                    await direction.To.WriteAsync(buffer.AsMemory(0, read)).ConfigureAwait(false);
                    direction.Bytes += read;
                    direction.Written?.Invoke(read);
                    Volatile.Write(ref _lastByte, _context.Time.GetTimestamp());
                }
                finally
                {
                    _context.Buffers.Return(buffer);
                }
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            Fail(blamed, Names.Printable.Clean(error.GetBaseException().Message));
        }
    }

    // The first reason is kept; the resets wake the other direction, whose own failure then comes second.
    private void Fail(RelayEnd end, string detail)
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

    private sealed record Direction(WhipStream From, WhipStream To, RelayEnd FromFailed, RelayEnd ToFailed, Action<long>? Written)
    {
        public long Bytes { get; set; }
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
}

/// <summary>What all relays of one program share.</summary>
/// <param name="Buffers">Where they rent.</param>
/// <param name="Time">The clock of the half-open timeout.</param>
/// <param name="HalfOpenTimeout">How long a half-closed relay may carry nothing.</param>
/// <param name="AToB">Told of bytes as they were written, so that a long relay is seen before it ends.</param>
/// <param name="BToA">The same for the other direction.</param>
internal sealed record RelayContext(
    RelayBuffers Buffers, TimeProvider Time, TimeSpan HalfOpenTimeout, Action<long>? AToB = null, Action<long>? BToA = null);
