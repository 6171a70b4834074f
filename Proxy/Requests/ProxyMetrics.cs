using Prometheus;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;

namespace Whip.Proxy.Requests;

/// <summary>The proxy's metrics; requests are counted under the name in the original's code and under the one in its README.</summary>
internal sealed class ProxyMetrics(CollectorRegistry registry)
{
    private const string Http = "HTTP/1.1";

    private readonly Counter _requests = Metrics.WithCustomRegistry(registry).CreateCounter(
        "whip_proxy_requests_total", "Requests the HTTP proxy handled.", "upstream_http", "status", "error");

    private readonly Counter _httpRequests = Metrics.WithCustomRegistry(registry).CreateCounter(
        "whip_http_proxy_requests_total", "The same as whip_proxy_requests_total.", "upstream_http", "status", "error");

    private readonly Counter _connects = Metrics.WithCustomRegistry(registry).CreateCounter(
        "whip_proxy_connects_total", "CONNECT requests the HTTP proxy handled, by outcome of the dial.", "outcome");

    private readonly Counter _blockedResets = Metrics.WithCustomRegistry(registry).CreateCounter(
        "whip_proxy_blocked_relays_reset_total", "Tunnels reset because those whose reader had stopped kept too much memory.");

    /// <summary>An upstream answered.</summary>
    public void Answered(int status) => Count($"{status}", "");

    /// <summary>No answer came; as in the original the status is then empty.</summary>
    public void Failed() => Count("", "true");

    public void Connect(DialOutcome outcome) => _connects.WithLabels(DialStatus.ToName(outcome)).Inc();

    public void BlockedReset(int count) => _blockedResets.Inc(count);

    private void Count(string status, string error)
    {
        _requests.WithLabels(Http, status, error).Inc();
        _httpRequests.WithLabels(Http, status, error).Inc();
    }
}
