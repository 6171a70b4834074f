using Whip.Hosting.Metrics;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;

namespace Whip.Proxy.Requests;

/// <summary>The proxy's metrics; requests are counted under the name in the original's code and under the one in its README.</summary>
internal sealed class ProxyMetrics(IMetricFactory factory)
{
    private const string Http = "HTTP/1.1";

    private readonly ICounter _requests = factory.Counter(WhipMetrics.ProxyRequests);
    private readonly ICounter _httpRequests = factory.Counter(WhipMetrics.HttpProxyRequests);
    private readonly ICounter _connects = factory.Counter(WhipMetrics.ProxyConnects);
    private readonly IGauge _notAfter = factory.Gauge(WhipMetrics.ProxyCertificateNotAfter);

    /// <summary>An upstream answered.</summary>
    public void Answered(int status) => Count($"{status}", "");

    /// <summary>No answer came; as in the original the status is then empty.</summary>
    public void Failed() => Count("", "true");

    public void Connect(DialOutcome outcome) => _connects.Add(1, DialStatus.ToName(outcome));

    public void CertificateExpires(DateTimeOffset notAfter) => _notAfter.Set(notAfter.ToUnixTimeSeconds());

    private void Count(string status, string error)
    {
        _requests.Add(1, Http, status, error);
        _httpRequests.Add(1, Http, status, error);
    }
}
