using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Via;

namespace Whip.Protocol.Kept;

/// <summary>Where a kept connection leads.</summary>
/// <param name="Address">The peer's, as it was dialled.</param>
/// <param name="BrokerUri">Under TLS the broker that its certificate had to name; null when any that covers the host will do.</param>
/// <param name="Via">The proxy that leads there; null: none.</param>
internal readonly record struct KeptKey(HostPort Address, string? BrokerUri = null, HttpProxy? Via = null);

/// <summary>A connection that carries one dial after the other. Owner: the dial that it was taken for, else the pool.</summary>
internal class KeptConnection(Leg leg, KeptKey key, object? shown, TimeProvider time)
{
    private readonly TimeSpan _idleLimit = KeptLimits.Drawn(KeptLimits.AskingIdle);
    private readonly TimeSpan _lifeLimit = KeptLimits.Drawn(KeptLimits.Life);
    private readonly long _made = time.GetTimestamp();

    public Leg Leg => leg;

    public KeptKey Key => key;

    /// <summary>Our certificate when it was made.</summary>
    public object? Shown => shown;

    /// <summary>Dials that it has finished.</summary>
    public int Finished { get; private set; }

    public bool IsReused => Finished > 0;

    /// <summary>A timestamp. Owner: the pool.</summary>
    public long IdleSince { get; private set; }

    /// <summary>Completes when the peer ends it or sends anything, which an idle one must not. Owner: the pool.</summary>
    public Task Heard { get; private set; } = Task.CompletedTask;

    /// <summary>In the program's budget, while it is idle. Owner: the pool.</summary>
    public IKeptPlace? Place { get; set; }

    public bool IsOld => time.GetElapsedTime(_made) >= _lifeLimit || leg.Peer?.NotAfter <= time.GetUtcNow();

    public bool HasIdledLong => time.GetElapsedTime(IdleSince) >= _idleLimit;

    public void BeginIdle()
    {
        Finished++;
        IdleSince = time.GetTimestamp();
        Heard = leg.WaitReadableAsync();
    }
}

/// <summary>Where a program counts its idle connections.</summary>
internal interface IKeptPlaces
{
    /// <summary>A place for one more, which <paramref name="end"/> may be called to free at any later time; null if there is none to spare.</summary>
    IKeptPlace? TryEnter(KeptConnection connection, Action end);
}

/// <summary>One idle connection among all that a program has open.</summary>
internal interface IKeptPlace
{
    /// <summary>It is idle no longer. False: it was ended to free the place.</summary>
    bool Leave();
}
