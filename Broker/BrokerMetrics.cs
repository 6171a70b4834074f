using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Whip.Broker.Dialing;
using Whip.Hosting.Metrics;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Registry;

namespace Whip.Broker;

/// <summary>What a broker counts. Gauges of instances count names, however many streams each has.</summary>
internal sealed class BrokerMetrics(IMetricFactory factory)
{
    // Ambiguous names that are remembered to be counted once each; a name beyond that counts at every dial.
    private const int MaxAmbiguousNames = 1000;

    private readonly IGauge _registrations = factory.Gauge(WhipMetrics.ServerActiveRegistrations);
    private readonly IGauge _connections = factory.Gauge(WhipMetrics.ServerActiveConnections);
    private readonly IHistogram _latency = factory.Histogram(WhipMetrics.ServerTcpConnectionLatency);
    private readonly IHistogram _roundTrip = factory.Histogram(WhipMetrics.ServerClientRoundTripLatency);
    private readonly ICounter _dials = factory.Counter(WhipMetrics.BrokerDials);
    private readonly IGauge _pending = factory.Gauge(WhipMetrics.BrokerPendingDials);
    private readonly IGauge _relays = factory.Gauge(WhipMetrics.BrokerRelays);
    private readonly ICounter _bytes = factory.Counter(WhipMetrics.BrokerRelayBytes);
    private readonly ICounter _relaysEnded = factory.Counter(WhipMetrics.BrokerRelaysEnded);
    private readonly IGauge _streams = factory.Gauge(WhipMetrics.BrokerStreams);
    private readonly ICounter _rejected = factory.Counter(WhipMetrics.BrokerRejectedConnections);
    private readonly ICounter _ambiguous = factory.Counter(WhipMetrics.BrokerAmbiguousNames);
    private readonly IGauge _draining = factory.Gauge(WhipMetrics.BrokerDraining);
    private readonly IGauge _notAfter = factory.Gauge(WhipMetrics.BrokerCertificateNotAfter);
    private readonly DomainLabels _domains = new();
    private readonly ConcurrentDictionary<string, bool> _ambiguousNames = new();
    private readonly Dictionary<string, int> _instances = [];

    public void StreamAttached(StreamRoute route)
    {
        _streams.Add(1);
        lock (_instances)
        {
            var streams = _instances.GetValueOrDefault(route.Name.FullName) + 1;
            _instances[route.Name.FullName] = streams;
            _registrations.Add(streams == 1 ? 1 : 0, _domains.For(route.Name.Domain));
        }
    }

    public void StreamDetached(StreamRoute route)
    {
        _streams.Add(-1);
        lock (_instances)
        {
            var streams = _instances[route.Name.FullName] - 1;
            if (streams == 0)
            {
                _instances.Remove(route.Name.FullName);
                _registrations.Add(-1, _domains.For(route.Name.Domain));
            }
            else
            {
                _instances[route.Name.FullName] = streams;
            }
        }
    }

    public void RoundTrip(StreamRoute route, TimeSpan time) => _roundTrip.Observe(time.TotalSeconds, _domains.For(route.Name.Domain));

    public void Resolved(string domain, TimeSpan time) => _latency.Observe(time.TotalSeconds, _domains.For(domain), "resolve");

    /// <summary>Counts a connection until its leg ends.</summary>
    public void Connected(string domain, int port, TimeSpan time, Leg leg)
    {
        var label = _domains.For(domain);
        var portLabel = port.ToString(CultureInfo.InvariantCulture);
        _latency.Observe(time.TotalSeconds, label, "");
        _connections.Add(1, label, portLabel);
        leg.OnClosed(() => _connections.Add(-1, label, portLabel));
    }

    public void DialEnded(DialOutcome outcome, DialPath path) =>
        _dials.Add(1, JsonNamingPolicy.SnakeCaseLower.ConvertName(outcome.ToString()), JsonNamingPolicy.SnakeCaseLower.ConvertName(path.ToString()));

    public void DialCancelled() => _dials.Add(1, "cancelled", "local");

    public void Pending(int change) => _pending.Add(change);

    public void Relays(int change) => _relays.Add(change);

    public void BytesToAgent(long count) => _bytes.Add(count, "to_agent");

    public void BytesToDialer(long count) => _bytes.Add(count, "to_dialer");

    public void RelayEnded(RelayEnd end) => _relaysEnded.Add(1, end switch
    {
        RelayEnd.Clean => "clean",
        RelayEnd.AReset => "dialer_reset",
        RelayEnd.BReset => "agent_reset",
        RelayEnd.Cut => "cut",
        _ => "half_open_timeout",
    });

    public void Rejected(string listener, string reason) => _rejected.Add(1, listener, reason);

    /// <summary>True the first time a name is seen to be both an instance and a domain.</summary>
    public bool Ambiguous(string name)
    {
        var isNew = _ambiguousNames.Count >= MaxAmbiguousNames || _ambiguousNames.TryAdd(name, true);
        if (isNew)
        {
            _ambiguous.Add(1);
        }

        return isNew;
    }

    public void Draining(bool value) => _draining.Set(value ? 1 : 0);

    public void CertificateNotAfter(DateTimeOffset time) => _notAfter.Set(time.ToUnixTimeSeconds());
}
