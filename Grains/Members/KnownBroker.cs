namespace Whip.Grains.Members;

/// <summary>Another broker that has described itself. Owner: the lock of <see cref="MemberTable"/>.</summary>
internal sealed class KnownBroker(BrokerFacts facts)
{
    /// <summary>The newest.</summary>
    public BrokerFacts Facts { get; set; } = facts;

    public bool IsSuspect { get; private set; } = true;

    public bool HasSilo { get; private set; }

    /// <summary>Cancelled when the broker becomes suspect.</summary>
    public CancellationToken Trusted => Trust.Token;

    private CancellationTokenSource Trust { get; set; } = new();

    /// <summary>Decides whether it is suspect, and logs a change.</summary>
    /// <returns>What to cancel, once the lock is released, if it has become suspect.</returns>
    public CancellationTokenSource? Judge(SiloPings.State? pings, ILogger log)
    {
        var wasSuspect = IsSuspect;
        (HasSilo, IsSuspect) = (pings is not null, pings is not { IsSuspect: false });
        if (IsSuspect && !wasSuspect)
        {
            MemberLog.Suspect(log, Printable.Clean(Facts.BrokerId), Printable.Clean(pings?.Problem ?? "its silo has ended"));
            return Trust;
        }

        if (!IsSuspect && Trust.IsCancellationRequested)
        {
            MemberLog.TrustedAgain(log, Printable.Clean(Facts.BrokerId));
            Trust = new CancellationTokenSource();
        }

        return null;
    }
}
