using System.Buffers.Binary;

namespace Whip.Bench.Kept;

/// <summary>One dial: what its dialer, its service and the connections on its way do, all drawn from the seed and its number; and what came of it.</summary>
internal sealed class KeptDial
{
    /// <summary>What a dialer sends first: a mark and the dial's number. A service sends a mark and the number of its connection.</summary>
    public const int HeadSize = 16;

    public const byte DialerMark = (byte)'t';
    public const byte ServiceMark = (byte)'s';

    /// <summary>What a service that speaks first says before it has heard anything, its head included.</summary>
    public const int GreetingSize = 700;

    private const ulong CheckFactor = 0x9E37_79B9_7F4A_7C15;

    // Most dials are small. A few are more than all buffers on the way hold.
    private const int Large = 8 * 1024 * 1024;

    // A multiplier that is far from any small fraction of the period: the bytes of two dials differ wherever they meet.
    private const long Stride = 433_494_437;

    private readonly int _upLength;
    private readonly int _downLength;
    private KeptConversation? _conversation;

    public KeptDial(int seed, int number, int worker)
    {
        (Number, Worker) = (number, worker);
        var random = new Random((seed * 100_003) + number);
        Service = random.Next(20) is 0 ? ServiceWay.Resets : (ServiceWay)random.Next(3);
        ResetAt = (DialState)random.Next((int)DialState.On, (int)DialState.ServerEnded + 1);
        Dialer = random.Next(8) is 0 ? (DialerWay)random.Next((int)DialerWay.Leaves, (int)DialerWay.Cancels + 1) : (DialerWay)random.Next(3);
        IsRefused = random.Next(50) is 0;
        (_upLength, _downLength) = (Length(random), Length(random));
        Pause = TimeSpan.FromMilliseconds(random.Next(200) is 0 ? random.Next(1500) : 0);
        if (random.Next(3000) is 0)
        {
            (_upLength, _downLength) = random.Next(2) is 0 ? (Large, 0) : (0, Large);
        }

        CancelAfter = TimeSpan.FromMilliseconds(random.Next(4));
        IsSlow = random.Next(10) is 0;
        HearsFirst = random.Next(2) is 0;
        Cut = random.Next(8) is 0 && !IsRefused ? KeptCut.Draw(random, _upLength + _downLength) : null;
        if (Cut is { State: DialState.AskerEnded or DialState.ServerEnded } cut)
        {
            // Who ends first is the dialer's choice, and a service's that does not wait for it.
            Dialer = cut.State == DialState.AskerEnded ? DialerWay.EndsFirst : DialerWay.EndsLast;
        }

        if (Dialer is DialerWay.EndsLast or DialerWay.Disposes or DialerWay.AbortsServerEnded)
        {
            // They would wait for each other.
            Service = Service == ServiceWay.EndsLast ? ServiceWay.EndsFirst : Service;
            ResetAt = ResetAt == DialState.AskerEnded ? DialState.On : ResetAt;
        }
        else if (Dialer == DialerWay.Leaves && random.Next(4) is 0)
        {
            Service = ServiceWay.SendsForEver;
        }
    }

    public int Number { get; }

    /// <summary>Who dials it, one dial after the other, at a port that nobody else dials: so a port says what a connection carries.</summary>
    public int Worker { get; }

    public DialerWay Dialer { get; }

    public ServiceWay Service { get; }

    /// <summary>When the service resets, if it does.</summary>
    public DialState ResetAt { get; }

    /// <summary>The dial is to a port where nobody listens.</summary>
    public bool IsRefused { get; }

    /// <summary>Of a reader, before it begins.</summary>
    public TimeSpan Pause { get; }

    public TimeSpan CancelAfter { get; }

    /// <summary>Both ends read in small pieces.</summary>
    public bool IsSlow { get; }

    /// <summary>The dialer sends nothing until the service has spoken, if it speaks first.</summary>
    public bool HearsFirst { get; }

    /// <summary>Null: the connections on the way are left alone.</summary>
    public KeptCut? Cut { get; }

    /// <summary>The bytes of the dialer behind its head.</summary>
    public int UpLength => _upLength;

    public bool IsConnected { get; set; }

    /// <summary>The dialer has ended its direction, or is about to.</summary>
    public bool IsUpEnded { get; set; }

    /// <summary>The same of the service.</summary>
    public bool IsDownEnded { get; set; }

    private bool MayBreak =>
        Dialer >= DialerWay.Aborts || Service is ServiceWay.Resets or ServiceWay.SendsForEver || Cut is { IsReached: true, State: > DialState.Asked }

        // A dialer that left drops little of what the service sends, and not for long.
        || (Dialer >= DialerWay.Leaves && (_downLength > 5_000 || Pause > TimeSpan.Zero || IsSlow));

    public static byte[] Head(byte mark, int number)
    {
        var head = new byte[HeadSize];
        head[0] = mark;
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(4), number);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(8), (ulong)number * CheckFactor);
        return head;
    }

    /// <summary>Null: these bytes are not the head of anybody.</summary>
    public static int? Parse(byte mark, ReadOnlySpan<byte> head)
    {
        var number = BinaryPrimitives.ReadInt32LittleEndian(head[4..]);
        return head[0] == mark && BinaryPrimitives.ReadUInt64LittleEndian(head[8..]) == (ulong)number * CheckFactor ? number : null;
    }

    /// <summary>What one side sends behind its head. A direction of a dial has bytes of its own.</summary>
    /// <param name="number">Of the dial, or minus that of the service's connection.</param>
    /// <param name="position">The first of them.</param>
    /// <param name="length">At most <see cref="Pattern.MaxPiece"/>.</param>
    public static ReadOnlyMemory<byte> Bytes(int number, long position, int length) => Pattern.At(Start(number) + position, length);

    public static bool Matches(int number, long position, ReadOnlySpan<byte> content) => Pattern.Matches(Start(number) + position, content);

    /// <summary>All that the service sends, its head included.</summary>
    public int DownLength(bool speaksFirst) => (speaksFirst ? GreetingSize : HeadSize) + _downLength;

    /// <summary>A connection of the service belongs to this dial. False: another one does already.</summary>
    public bool TryClaim(KeptConversation conversation) => Interlocked.CompareExchange(ref _conversation, conversation, null) is null;

    /// <summary>The dialer has seen these bytes of this connection of the service.</summary>
    public bool IsClaimedBy(int conversation) => _conversation?.Number == conversation;

    /// <summary>What is wrong with how one side has seen the other end; null if nothing is.</summary>
    /// <param name="isUp">The service has seen it.</param>
    /// <param name="isWhole">Everything came before.</param>
    /// <param name="reset">Null: a clean end.</param>
    public string? Judge(bool isUp, bool isWhole, Exception? reset) =>
        reset is not null ? MayBreak ? null : $"broke at the {(isUp ? "service" : "dialer")}: {reset.GetBaseException().Message}"
        : !isWhole ? $"a clean end before everything had come to the {(isUp ? "service" : "dialer")}"
        : !(isUp ? IsUpEnded : IsDownEnded) ? $"a clean end at the {(isUp ? "service" : "dialer")} that nobody sent"
        : Cut is { IsReached: true, State: > DialState.Asked } cut && !(isUp ? cut.IsUpEndPassed : cut.IsDownEndPassed) ? "a clean end of a dial that was cut"
        : null;

    public override string ToString() =>
        $"dial {Number}: dialer {Dialer}, service {Service}{(Service == ServiceWay.Resets ? $" at {ResetAt}" : "")}, {_upLength} up, {_downLength} down"
        + $"{(Pause > TimeSpan.Zero ? ", pauses" : "")}{(Cut is null ? "" : $", {Cut}")}";

    private static long Start(int number) => ((number * Stride) % Pattern.Period + Pattern.Period) % Pattern.Period;

    private static int Length(Random random) => random.Next(4) switch
    {
        0 => 0,
        1 => random.Next(64),
        2 => random.Next(5_000),
        _ => random.Next(random.Next(8) is 0 ? 300_000 : 20_000),
    };
}

/// <summary>Where a dial stands on one connection; the rows of the table in docs/wire.md, with both ends told apart.</summary>
internal enum DialState
{
    Idle,
    Asked,
    On,

    /// <summary>The side that asked has ended its direction.</summary>
    AskerEnded,

    /// <summary>The side that serves has.</summary>
    ServerEnded,

    /// <summary>Both have, and the dial is not done.</summary>
    BothEnded,
}

/// <summary>What a dialer does. From <see cref="Leaves"/> on it does not wait for the service's end, from <see cref="Aborts"/> on the dial may break.</summary>
internal enum DialerWay
{
    /// <summary>It ends its direction, and reads until the service's end.</summary>
    EndsFirst,

    /// <summary>It ends its direction when the service has.</summary>
    EndsLast,

    /// <summary>The same, by the dispose.</summary>
    Disposes,
    Leaves,
    LeavesWithAReadPending,

    /// <summary>It resets in the middle of what it sends.</summary>
    Aborts,

    /// <summary>A write and the dispose run together.</summary>
    DisposesInAWrite,
    AbortsAskerEnded,
    AbortsServerEnded,
    AbortsBothEnded,

    /// <summary>It gives up before the answer.</summary>
    Cancels,
}

/// <summary>What a service does.</summary>
internal enum ServiceWay
{
    /// <summary>It sends and ends its direction when the dialer has ended.</summary>
    EndsLast,

    /// <summary>It sends and ends, and then reads.</summary>
    EndsFirst,

    /// <summary>It reads and sends together.</summary>
    Together,
    Resets,
    SendsForEver,
}

/// <summary>The reset of one connection of a dial, in one state.</summary>
/// <param name="Hop">1: dialer and ingress, 2: ingress and holder, 3: holder and agent.</param>
/// <param name="State">The state.</param>
/// <param name="After">
/// How many bytes pass in that state before. Asked: none is before the request is passed on, more is before the answer is. Idle: none is at once, more
/// is never: the connection falls silent, as when the network between has forgotten it.
/// </param>
internal sealed record KeptCut(int Hop, DialState State, int After)
{
    private int _taken;
    private volatile bool _isReached;

    /// <summary>The connection is cut, or was.</summary>
    public bool IsReached => _isReached;

    /// <summary>It had carried a dial before.</summary>
    public bool WasReused { get; private set; }

    /// <summary>The dialer's end had passed.</summary>
    public bool IsUpEndPassed { get; private set; }

    /// <summary>The service's end had passed.</summary>
    public bool IsDownEndPassed { get; private set; }

    public static KeptCut Draw(Random random, int bytes)
    {
        var state = (DialState)random.Next((int)DialState.BothEnded + 1);
        return new KeptCut(random.Next(1, 4), state, random.Next(2) is 0 ? 0 : 1 + random.Next(state <= DialState.Asked ? 1 : bytes + 1));
    }

    /// <summary>Reaches the cut. False: another connection of the dial has been cut.</summary>
    public bool TryReach(DialState state, bool wasReused)
    {
        if (Interlocked.Exchange(ref _taken, 1) != 0)
        {
            return false;
        }

        (WasReused, IsUpEndPassed) = (wasReused, state is DialState.AskerEnded or DialState.BothEnded);
        IsDownEndPassed = state is DialState.ServerEnded or DialState.BothEnded;
        return _isReached = true;
    }

    public override string ToString() => $"hop {Hop} cut {State} after {After}{(IsReached ? "" : " (not reached)")}";
}
