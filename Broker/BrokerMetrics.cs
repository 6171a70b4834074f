using Prometheus;

namespace Whip.Broker;

/// <summary>Metrics of the broker as a whole; its folders have the others.</summary>
internal sealed class BrokerMetrics(CollectorRegistry registry)
{
    private readonly Gauge _draining = Metrics.WithCustomRegistry(registry).CreateGauge(
        "whip_broker_draining", "1 while the broker drains, else 0.");

    public void Draining() => _draining.Set(1);
}
