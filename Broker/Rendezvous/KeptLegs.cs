using Whip.Broker.Listening;
using Whip.Protocol.Kept;

namespace Whip.Broker.Rendezvous;

/// <summary>
/// The legs of agents that are kept for one dial after the other. Each control stream has its own pool; here they are counted, and the first to go when
/// descriptors run out.
/// </summary>
internal sealed class KeptLegs(TlsIdentity? tls, DescriptorBudget descriptors, KeptMetrics metrics, TimeProvider time) : IKeptPlaces
{
    /// <summary>What an agent's Register says when it keeps them.</summary>
    public const string Capability = "keep";

    private readonly UnauthenticatedGate _idle = new(int.MaxValue, descriptors, SpareKind.Kept);

    /// <summary>Legs that are idle.</summary>
    public int Count => metrics.Count;

    /// <summary>What new legs are shown, to be taken before the handshake.</summary>
    public object? Shown => tls?.Certificate;

    /// <summary>Of one control stream.</summary>
    public KeptPool NewPool() => new(tls, time, this);

    /// <summary>The stream of a dial on the leg.</summary>
    public AskingStream Stream(KeptLeg leg) => new(leg.Leg, time, leg.GiveBack);

    /// <summary>A leg that has arrived for the first of its dials.</summary>
    public AskingStream Begin(Leg leg, KeptPool pool, UnauthenticatedGate.Entry entry, object? shown)
    {
        var kept = new KeptLeg(leg, pool, entry, shown, time) { IsBusy = true };
        leg.OnClosed(() =>
        {
            if (!kept.IsBusy)
            {
                metrics.Stale();
            }
        });
        return Stream(kept);
    }

    /// <summary>An agent has answered on a leg that has carried another dial.</summary>
    public void Reused() => metrics.Reused();

    /// <summary>An agent had gone, or did not answer.</summary>
    public void Stale() => metrics.Stale();

    public IKeptPlace TryEnter(KeptConnection connection, Action end)
    {
        var leg = (KeptLeg)connection;
        if (leg.Leg.Peer is null)
        {
            // Nobody has vouched for it: it is a stranger again. Others may have to go for it now, and none of their pools be entered from this one.
            leg.Entry.Enter(leg.Leg.Abort);
        }
        else
        {
            leg.Entry = _idle.Enter(end);
        }

        return metrics.Enter(leg.Entry);
    }
}

/// <summary>A leg of an agent whose control stream has said that it keeps them.</summary>
internal sealed class KeptLeg(Leg leg, KeptPool pool, UnauthenticatedGate.Entry entry, object? shown, TimeProvider time)
    : KeptConnection(leg, AnyDial, shown, time)
{
    private volatile bool _isBusy;

    /// <summary>All legs of a control stream lead to its agent.</summary>
    public static KeptKey AnyDial => default;

    /// <summary>In the gate where it is now, or was last. Owner: the pool.</summary>
    public UnauthenticatedGate.Entry Entry { get; set; } = entry;

    /// <summary>A dial has it.</summary>
    public bool IsBusy
    {
        get => _isBusy;
        set => _isBusy = value;
    }

    public void GiveBack()
    {
        IsBusy = false;
        pool.GiveBack(this);
    }
}
