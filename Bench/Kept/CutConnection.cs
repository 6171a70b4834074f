using Whip.Protocol.Connect;
using Whip.Protocol.Kept;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;

namespace Whip.Bench.Kept;

/// <summary>One connection: passes on what comes, follows its dials, and resets both ends where one says so. Owner of the state: the lock.</summary>
/// <param name="hop">Where it is.</param>
/// <param name="asker">The side that asks for dials.</param>
/// <param name="server">The side that serves them.</param>
internal sealed class CutConnection(CuttingHop hop, Leg asker, Leg server)
{
    private const int BufferSize = 64 * 1024;

    private static readonly byte[] EndAndDone = [(byte)FrameKind.End, 0, 0, 0, (byte)FrameKind.Done, 0, 0, 0];

    private readonly Lock _lock = new();
    private readonly Direction _up = new(asker, server, isUp: true);
    private readonly Direction _down = new(server, asker, isUp: false);

    // An agent's leg is made for a dial, of which nothing is said on it.
    private DialState _state = hop.CarriesLegs ? DialState.On : DialState.Idle;
    private KeptDial? _dial;

    // Bytes that have passed in this state.
    private int _passed;
    private bool _hasLied;
    private bool _isReused;
    private bool _isKnown;

    // Nothing is passed on any more: it is forgotten, or about to be reset.
    private bool _isOver;

    /// <summary>Runs until both directions have ended. The caller ends the legs.</summary>
    public async Task RunAsync(CancellationToken ending)
    {
        if (hop.CarriesLegs)
        {
            hop.Counted(isReused: false);
        }

        await using var cut = ending.UnsafeRegister(static connection => ((CutConnection)connection!).Reset(), this);
        await Task.WhenAll(PassAsync(_up), PassAsync(_down));
        await asker.DisposeAsync();
        await server.DisposeAsync();
    }

    private void Reset()
    {
        asker.Abort();
        server.Abort();
    }

    /// <summary>A dial that is done has no part in it: what was said of it arrives before.</summary>
    private async Task CutAsync()
    {
        while (_state == DialState.Idle && asker.Progress is { IsOutstanding: true })
        {
            await Task.Delay(1);
        }

        Reset();
    }

    private async Task PassAsync(Direction way)
    {
        try
        {
            var (buffer, held) = (new byte[BufferSize], 0);
            while (await way.From.ReadAsync(buffer.AsMemory(held)) is > 0 and var read)
            {
                held += read;
                var take = Take(buffer.AsSpan(0, held), way);
                await (take.IsLie ? way.To.WriteAsync(EndAndDone) : ValueTask.CompletedTask);
                await (take.IsPassedOn ? way.To.WriteAsync(buffer.AsMemory(0, take.Count)) : ValueTask.CompletedTask);
                if (take.IsCut)
                {
                    await CutAsync();
                    return;
                }

                buffer.AsSpan(take.Count..held).CopyTo(buffer);
                held -= take.Count;
            }

            await (_isOver ? throw new IOException("it is over") : way.To.CompleteWritesAsync());
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
        {
            Reset();
        }
    }

    /// <returns>What becomes of <paramref name="bytes"/>; those beyond the count are not whole.</returns>
    private (int Count, bool IsPassedOn, bool IsCut, bool IsLie) Take(ReadOnlySpan<byte> bytes, Direction way)
    {
        var at = 0;
        var (isCut, isLie) = (false, false);
        lock (_lock)
        {
            if (_isOver)
            {
                return (bytes.Length, false, false, false);
            }

            while (!_isOver && at < bytes.Length)
            {
                isLie |= way is { IsUp: false, Payload: > 0 } && MayLie();
                var (taken, mayPass) = way.Payload > 0 ? (TakePayload(bytes[at..], way), true) : TakeUnit(bytes[at..], way);
                at += mayPass ? taken : 0;
                isCut = !mayPass;
                if (taken == 0 && !isCut)
                {
                    break;
                }

                isCut |= IsCutDue();
                _isOver |= isCut;
            }
        }

        return (at, at > 0, isCut, isLie);
    }

    private int TakePayload(ReadOnlySpan<byte> bytes, Direction way)
    {
        var taken = Math.Min(bytes.Length, way.Payload);
        if (_isKnown && _dial?.Cut is { IsReached: false } cut && cut.Hop == hop.Number && cut.State == _state && cut.After > _passed)
        {
            taken = Math.Min(taken, cut.After - _passed);
        }

        way.Payload -= taken;
        _passed += taken;
        return taken;
    }

    /// <returns>The length of the head or frame, 0 if it is not whole; and whether it may pass.</returns>
    private (int Length, bool MayPass) TakeUnit(ReadOnlySpan<byte> bytes, Direction way)
    {
        if (bytes[0] is (byte)'C' or (byte)'H')
        {
            return way.IsUp ? TakeRequest(bytes) : TakeAnswer(bytes, way);
        }

        if (bytes.Length < FrameHeader.Size)
        {
            return (0, true);
        }

        if (!FrameHeader.TryRead(bytes, out var header))
        {
            hop.Tally.Wrong($"hop {hop.Number}: what is not a frame: {Convert.ToHexString(bytes[..FrameHeader.Size])}, {_state} of {_dial}");
            return (0, false);
        }

        return TakeFrame(bytes, header, way);
    }

    private (int Length, bool MayPass) TakeRequest(ReadOnlySpan<byte> bytes)
    {
        var parse = ConnectRequest.Parse(bytes);
        return parse.Head is { } request ? (parse.Consumed, Ask(request.Target.Port)) : (0, parse.IsIncomplete);
    }

    private (int Length, bool MayPass) TakeAnswer(ReadOnlySpan<byte> bytes, Direction way)
    {
        var parse = ConnectResponseHead.Parse(bytes);
        if (parse.Head is not { } answer)
        {
            return (0, parse.IsIncomplete);
        }

        return (parse.Consumed, answer.IsInterim || Answer(answer.Status == 200, way, answer.ContentLength));
    }

    private (int Length, bool MayPass) TakeFrame(ReadOnlySpan<byte> bytes, FrameHeader header, Direction way)
    {
        var whole = FrameHeader.Size + header.Length;
        switch (header.Kind)
        {
            case FrameKind.Data:
                Recognize(bytes, header, way);
                way.Payload = header.Length;
                return (FrameHeader.Size, true);
            case FrameKind.End:
                var isFirst = _state == DialState.On;
                Enter(!isFirst ? DialState.BothEnded : way.IsUp ? DialState.AskerEnded : DialState.ServerEnded);
                return (whole, true);
            case FrameKind.Done:
                Enter(DialState.Idle);
                return (whole, true);
            case FrameKind.Open when bytes.Length >= whole:
                return (whole, Ask((int)Connect.Parser.ParseFrom(bytes[FrameHeader.Size..whole]).LocalPort));
            case FrameKind.Opened:
                return (whole, Answer(isOn: true, way, 0));
            case FrameKind.Refused when bytes.Length >= whole:
                return (whole, Answer(isOn: false, way, 0));
            case FrameKind.Wait:
                return (whole, true);
            default:
                return (0, true);
        }
    }

    /// <returns>False: it is cut before it is asked for.</returns>
    private bool Ask(int port)
    {
        if (_state != DialState.Idle)
        {
            hop.Tally.Wrong($"hop {hop.Number}: a dial was asked for while another was {_state}: {_dial}");
        }

        // Whoever gave up its last dial has begun the next one meanwhile: what is sent on it will say which one this is.
        (_dial, _isKnown, _hasLied) = (hop.Find(port), hop.Number == 1, false);
        hop.Counted(_isReused);
        Enter(DialState.Asked);
        return !(_dial?.Cut is { State: DialState.Asked, After: 0 } cut && TryCut(cut));
    }

    private bool Answer(bool isOn, Direction way, int bodyLength)
    {
        if (_dial?.Cut is { State: DialState.Asked } cut && TryCut(cut))
        {
            return false;
        }

        way.Payload = bodyLength;
        Enter(isOn ? DialState.On : DialState.Idle);
        return true;
    }

    /// <summary>The dialer's first bytes say which dial this is.</summary>
    private void Recognize(ReadOnlySpan<byte> bytes, FrameHeader header, Direction way)
    {
        if (way.IsUp && !_isKnown && header.Length >= KeptDial.HeadSize && bytes.Length >= FrameHeader.Size + KeptDial.HeadSize
            && KeptDial.Parse(KeptDial.DialerMark, bytes[FrameHeader.Size..]) is { } number)
        {
            (_dial, _isKnown) = (hop.Tally.Dial(number), true);
        }
    }

    private void Enter(DialState state)
    {
        (_state, _passed) = (state, 0);
        _isReused |= state == DialState.Idle;
    }

    private bool IsCutDue()
    {
        if (!_isKnown || _dial?.Cut is not { } cut || cut.State != _state || _state == DialState.Asked)
        {
            return false;
        }

        if (_state == DialState.Idle)
        {
            var isCut = TryCut(cut);
            _isOver |= isCut;
            return isCut && cut.After == 0;
        }

        return _passed >= cut.After && TryCut(cut);
    }

    private bool TryCut(KeptCut cut)
    {
        if (cut.Hop != hop.Number || !cut.TryReach(_state, _isReused))
        {
            return false;
        }

        hop.Tally.Reached($"hop{hop.Number}", _state);
        return true;
    }

    private bool MayLie()
    {
        if (!hop.IsLying || _hasLied || _state != DialState.AskerEnded)
        {
            return false;
        }

        return _hasLied = true;
    }

    /// <summary>One direction of the connection. Owner of what remains of a payload: the lock.</summary>
    private sealed class Direction(Leg from, Leg to, bool isUp)
    {
        public Leg From => from;

        public Leg To => to;

        /// <summary>From the side that asks.</summary>
        public bool IsUp => isUp;

        public int Payload { get; set; }
    }
}
