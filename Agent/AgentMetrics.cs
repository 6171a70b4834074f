using Whip.Hosting.Metrics;

namespace Whip.Agent;

/// <summary>The agent's instruments.</summary>
internal sealed class AgentMetrics(IMetricFactory factory, string domain)
{
    private readonly IGauge _activeConnections = factory.Gauge(WhipMetrics.ClientActiveConnections);
    private readonly IGauge _streams = factory.Gauge(WhipMetrics.AgentStreams);
    private readonly ICounter _reconnects = factory.Counter(WhipMetrics.AgentReconnects);
    private readonly ICounter _connects = factory.Counter(WhipMetrics.AgentConnects);
    private readonly ICounter _relayBytes = factory.Counter(WhipMetrics.AgentRelayBytes);
    private readonly IGauge _certificateNotAfter = factory.Gauge(WhipMetrics.AgentCertificateNotAfter);

    public void StreamAttached() => _streams.Add(1);

    public void StreamDetached() => _streams.Add(-1);

    public void Reconnecting() => _reconnects.Add(1);

    public void Connect(string outcome) => _connects.Add(1, outcome);

    public void RelayStarted(int localPort) => _activeConnections.Add(1, domain, $"{localPort}");

    public void RelayEnded(int localPort) => _activeConnections.Add(-1, domain, $"{localPort}");

    public void RelayedToAgent(long bytes) => _relayBytes.Add(bytes, "to_agent");

    public void RelayedToDialer(long bytes) => _relayBytes.Add(bytes, "to_dialer");

    public void CertificateExpires(DateTimeOffset at) => _certificateNotAfter.Set(at.ToUnixTimeSeconds());
}
