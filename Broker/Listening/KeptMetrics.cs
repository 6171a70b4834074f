using Prometheus;
using Whip.Protocol.Kept;

namespace Whip.Broker.Listening;

/// <summary>What a broker counts of its kept connections: those of dialers, those to holders and the legs of agents.</summary>
internal sealed class KeptMetrics
{
    private readonly Gauge.Child _kept;
    private readonly Counter.Child _reused;
    private readonly Counter.Child _stale;

    public KeptMetrics(CollectorRegistry registry, string listener)
    {
        var factory = Metrics.WithCustomRegistry(registry);
        _kept = factory.CreateGauge("whip_broker_kept_connections", "Connections that are idle after a dial and wait for the next.", "listener")
            .WithLabels(listener);
        _reused = factory.CreateCounter(
            "whip_broker_kept_reused_total", "Dials that came (dial), were forwarded (holder) or asked for (rendezvous) on one that had carried another.",
            "listener")
            .WithLabels(listener);
        _stale = factory.CreateCounter(
            "whip_broker_kept_stale_total", "Kept connections closed while idle (dial, rendezvous), or found silent or ended by a dial (holder, rendezvous).",
            "listener")
            .WithLabels(listener);
    }

    /// <summary>Those that are idle.</summary>
    public int Count => (int)_kept.Value;

    public void Kept(int change) => _kept.Inc(change);

    /// <summary>The place of one idle connection, which counts until it is left.</summary>
    public IKeptPlace Enter(UnauthenticatedGate.Entry entry)
    {
        Kept(1);
        return new Place(entry, this);
    }

    public void Reused() => _reused.Inc();

    public void Stale() => _stale.Inc();

    private sealed class Place(UnauthenticatedGate.Entry entry, KeptMetrics metrics) : IKeptPlace
    {
        public bool Leave()
        {
            metrics.Kept(-1);
            return entry.Leave();
        }
    }
}
