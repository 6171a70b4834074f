using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Protocol.Kept;

/// <summary>How long the serving side keeps one connection. Made before its handshake, so that the certificate that it shows is known.</summary>
/// <param name="identity">What it shows; null when it is plain.</param>
/// <param name="time">The clock.</param>
internal sealed class ServingLife(TlsIdentity? identity, TimeProvider time)
{
    private readonly object? _shown = identity?.Certificate;
    private readonly long _made = time.GetTimestamp();
    private readonly TimeSpan _limit = KeptLimits.Drawn(KeptLimits.Life);

    /// <summary>Its peer was judged by what is in force now.</summary>
    public bool IsCurrent => ReferenceEquals(_shown, identity?.Certificate);

    /// <summary>It may wait for another dial.</summary>
    public bool MayKeep(Leg leg) => IsCurrent && !leg.HasEnded && IdleLimit(leg) > TimeSpan.Zero;

    /// <summary>For how long: not past the connection's life, nor past that of either certificate.</summary>
    public TimeSpan IdleLimit(Leg leg)
    {
        var limit = KeptLimits.Drawn(KeptLimits.ServingIdle);
        var life = _limit - time.GetElapsedTime(_made);
        limit = life < limit ? life : limit;
        var now = time.GetUtcNow();
        foreach (var leaf in new[] { leg.Peer, identity?.Names })
        {
            limit = leaf is not null && leaf.NotAfter - now < limit ? leaf.NotAfter - now : limit;
        }

        return limit;
    }
}
