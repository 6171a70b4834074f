using Prometheus;

namespace Whip.Broker;

/// <summary>Metrics of the broker as a whole; its folders have the others.</summary>
internal sealed class BrokerMetrics(CollectorRegistry registry)
{
    private readonly Gauge _draining = Metrics.WithCustomRegistry(registry).CreateGauge(
        "whip_broker_draining", "1 while the broker drains, else 0.");

    private readonly Gauge _notAfter = Metrics.WithCustomRegistry(registry).CreateGauge(
        "whip_broker_certificate_not_after_seconds", "When the broker's certificate expires, in Unix time.");

    public void Draining() => _draining.Set(1);

    public void CertificateNotAfter(DateTimeOffset time) => _notAfter.Set(time.ToUnixTimeSeconds());
}
