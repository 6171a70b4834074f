using static Whip.Hosting.Metrics.MetricType;

namespace Whip.Hosting.Metrics;

/// <summary>Every instrument of Whip. The first group carries the original's names, labels and buckets; its dashboards work unchanged.</summary>
internal static class WhipMetrics
{
    private static readonly double[] Latencies = [.. Enumerable.Range(0, 10).Select(i => Math.Pow(10, -3 + (i / 3.0)))];

    public static readonly MetricDefinition ServerActiveRegistrations = new(
        Gauge, "whip_server_active_registrations", "Registered instances.", "domain");
    public static readonly MetricDefinition ServerActiveConnections = new(
        Gauge, "whip_server_active_connections", "Relayed connections.", "domain", "port");
    public static readonly MetricDefinition ServerTcpConnectionLatency = new(
        Histogram, "whip_server_tcp_connection_latency", "Seconds to establish a dial: op resolve finds the instance, op empty is the whole dial.", "domain", "op")
    { Buckets = Latencies };
    public static readonly MetricDefinition ServerClientRoundTripLatency = new(
        Histogram, "whip_server_client_round_trip_latency", "Seconds from a ping on the control stream to its answer.", "domain")
    { Buckets = Latencies };
    public static readonly MetricDefinition ClientActiveConnections = new(
        Gauge, "whip_client_active_connections", "Connections the agent relays to its services.", "domain", "port");
    public static readonly MetricDefinition ProxyRequests = new(
        Counter, "whip_proxy_requests_total", "Requests the HTTP proxy handled.", "upstream_http", "status", "error");
    public static readonly MetricDefinition HttpProxyRequests = new(
        Counter, "whip_http_proxy_requests_total", "The same as whip_proxy_requests_total.", "upstream_http", "status", "error");

    public static readonly MetricDefinition BrokerDials = new(
        Counter, "whip_broker_dials_total", "Dials ended, by outcome and by the way they took.", "outcome", "path");
    public static readonly MetricDefinition BrokerPendingDials = new(
        Gauge, "whip_broker_pending_dials", "Dials that wait for an instance or for its leg.");
    public static readonly MetricDefinition BrokerRelays = new(
        Gauge, "whip_broker_relays", "Relays that run.");
    public static readonly MetricDefinition BrokerRelayBytes = new(
        Counter, "whip_broker_relay_bytes_total", "Bytes relayed: to_agent or to_dialer.", "direction");
    public static readonly MetricDefinition BrokerRelaysEnded = new(
        Counter, "whip_broker_relays_ended_total", "Relays ended, by the reason that came first.", "reason");
    public static readonly MetricDefinition BrokerStreams = new(
        Gauge, "whip_broker_streams", "Registered control streams.");
    public static readonly MetricDefinition BrokerRejectedConnections = new(
        Counter, "whip_broker_rejected_connections_total", "Connections closed before they were of use.", "listener", "reason");
    public static readonly MetricDefinition BrokerAmbiguousNames = new(
        Counter, "whip_broker_ambiguous_names_total", "Names that came to be an instance and a domain at once.");
    public static readonly MetricDefinition BrokerPeersSuspect = new(
        Gauge, "whip_broker_peers_suspect", "Other brokers of the cluster that do not answer, or whose lease is stale.");
    public static readonly MetricDefinition BrokerDraining = new(
        Gauge, "whip_broker_draining", "1 while the broker drains, else 0.");
    public static readonly MetricDefinition BrokerCertificateNotAfter = new(
        Gauge, "whip_broker_certificate_not_after_seconds", "When the broker's certificate expires, in Unix time.");

    public static readonly MetricDefinition AgentStreams = new(
        Gauge, "whip_agent_streams", "Control streams to brokers.");
    public static readonly MetricDefinition AgentReconnects = new(
        Counter, "whip_agent_reconnects_total", "Control streams lost and tried again.");
    public static readonly MetricDefinition AgentConnects = new(
        Counter, "whip_agent_connects_total", "Connects the brokers asked for, by outcome.", "outcome");
    public static readonly MetricDefinition AgentRelayBytes = new(
        Counter, "whip_agent_relay_bytes_total", "Bytes relayed: to_agent (towards the service) or to_dialer.", "direction");
    public static readonly MetricDefinition AgentCertificateNotAfter = new(
        Gauge, "whip_agent_certificate_not_after_seconds", "When the agent's certificate expires, in Unix time.");

    public static readonly MetricDefinition ProxyConnects = new(
        Counter, "whip_proxy_connects_total", "CONNECT requests the HTTP proxy handled, by outcome of the dial.", "outcome");
    public static readonly MetricDefinition ProxyCertificateNotAfter = new(
        Gauge, "whip_proxy_certificate_not_after_seconds", "When the proxy's certificate expires, in Unix time.");

    public static readonly IReadOnlyList<MetricDefinition> All =
    [
        ServerActiveRegistrations, ServerActiveConnections, ServerTcpConnectionLatency, ServerClientRoundTripLatency,
        ClientActiveConnections, ProxyRequests, HttpProxyRequests,
        BrokerDials, BrokerPendingDials, BrokerRelays, BrokerRelayBytes, BrokerRelaysEnded, BrokerStreams, BrokerRejectedConnections,
        BrokerAmbiguousNames, BrokerPeersSuspect, BrokerDraining, BrokerCertificateNotAfter,
        AgentStreams, AgentReconnects, AgentConnects, AgentRelayBytes, AgentCertificateNotAfter,
        ProxyConnects, ProxyCertificateNotAfter,
    ];
}
