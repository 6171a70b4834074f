using Prometheus;

namespace Whip.Broker.Listening;

internal sealed class ListenerMetrics(CollectorRegistry registry)
{
    private readonly Counter _admitted = Metrics.WithCustomRegistry(registry).CreateCounter(
        "whip_broker_admitted_connections_total", "Connections that were let in, under TLS after one handshake each.", "listener");

    private readonly Counter _rejected = Metrics.WithCustomRegistry(registry).CreateCounter(
        "whip_broker_rejected_connections_total", "Connections closed before they were of use.", "listener", "reason");

    public void Admitted(string listener) => _admitted.WithLabels(listener).Inc();

    public void Rejected(string listener, string reason) => _rejected.WithLabels(listener, reason).Inc();
}
