using Prometheus;

namespace Whip.Broker.DialFront;

internal sealed class KeptMetrics
{
    private readonly Gauge.Child _kept;
    private readonly Counter.Child _reused;
    private readonly Counter.Child _stale;

    public KeptMetrics(CollectorRegistry registry)
    {
        var factory = Metrics.WithCustomRegistry(registry);
        _kept = factory.CreateGauge("whip_broker_kept_connections", "Connections that are idle after a dial and wait for the next.", "listener")
            .WithLabels(DialFrontServer.Name);
        _reused = factory.CreateCounter("whip_broker_kept_reused_total", "Dials that came on a connection which had carried another.", "listener")
            .WithLabels(DialFrontServer.Name);
        _stale = factory.CreateCounter(
            "whip_broker_kept_stale_total", "Idle kept connections that the broker closed, for their age or to have their descriptor.", "listener")
            .WithLabels(DialFrontServer.Name);
    }

    public void Kept(int change) => _kept.Inc(change);

    public void Reused() => _reused.Inc();

    public void Stale() => _stale.Inc();
}
