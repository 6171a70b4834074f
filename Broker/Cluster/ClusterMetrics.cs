using Prometheus;

namespace Whip.Broker.Cluster;

internal sealed class ClusterMetrics(CollectorRegistry registry)
{
    private readonly Gauge _suspects = Metrics.WithCustomRegistry(registry).CreateGauge(
        "whip_broker_peers_suspect", "Other brokers of the cluster that do not answer.");

    public void Suspects(int count) => _suspects.Set(count);
}
