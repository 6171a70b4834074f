using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Prometheus;
using Whip.Hosting.Metrics;

namespace Whip.Broker.Dialing;

internal sealed class DialMetrics(CollectorRegistry registry, LabelValues domains)
{
    // Each ambiguous name is counted once; names beyond this many are counted at every dial.
    private const int MaxAmbiguousNames = 1000;

    // For pairs of a domain and a port.
    private const int MaxConnectionSeries = 10_000;

    private readonly Gauge _connections = Metrics.WithCustomRegistry(registry).CreateGauge(
        "whip_server_active_connections", "Relayed connections.", "domain", "port");

    private readonly Histogram _latency = Metrics.WithCustomRegistry(registry).CreateHistogram(
        "whip_server_tcp_connection_latency", "Seconds to establish a dial: op resolve finds the instance, op empty is the whole dial.", ["domain", "op"],
        new HistogramConfiguration { Buckets = LatencyBuckets.Seconds });

    private readonly Counter _dials = Metrics.WithCustomRegistry(registry).CreateCounter(
        "whip_broker_dials_total", "Dials ended, by outcome and by the way they took.", "outcome", "path");

    private readonly Gauge _pending = Metrics.WithCustomRegistry(registry).CreateGauge(
        "whip_broker_pending_dials", "Dials that wait for an instance or for its leg.");

    private readonly Gauge _relays = Metrics.WithCustomRegistry(registry).CreateGauge("whip_broker_relays", "Relays that run.");

    private readonly Counter _ambiguous = Metrics.WithCustomRegistry(registry).CreateCounter(
        "whip_broker_ambiguous_names_total", "Names that came to be an instance and a domain at once.");

    private readonly LabelValues _connectionSeries = new(MaxConnectionSeries);
    private readonly ConcurrentDictionary<string, bool> _ambiguousNames = new();

    public void Resolved(string domain, TimeSpan time) => _latency.WithLabels(domains.For(domain), "resolve").Observe(time.TotalSeconds);

    /// <summary>Counts a connection until its dial has it no longer.</summary>
    public void Connected(string domain, int port, TimeSpan time, WhipStream leg)
    {
        _latency.WithLabels(domains.For(domain), "").Observe(time.TotalSeconds);
        var connections = ConnectionsTo(domain, port);
        connections.Inc();
        leg.OnReleased(() => connections.Dec());
    }

    public void Ended(DialOutcome outcome, DialPath path) => _dials.WithLabels(Text(outcome), Text(path)).Inc();

    public void Cancelled() => _dials.WithLabels("cancelled", Text(DialPath.Local)).Inc();

    public void Pending(int change) => _pending.Inc(change);

    public void Relays(int change) => _relays.Inc(change);

    /// <summary>True the first time a name is seen to be both an instance and a domain.</summary>
    public bool Ambiguous(string name)
    {
        var isNew = _ambiguousNames.Count >= MaxAmbiguousNames || _ambiguousNames.TryAdd(name, true);
        if (isNew)
        {
            _ambiguous.Inc();
        }

        return isNew;
    }

    internal Gauge.Child ConnectionsTo(string domain, int port)
    {
        var (label, portLabel) = (domains.For(domain), port.ToString(CultureInfo.InvariantCulture));
        return _connectionSeries.For($"{label}:{portLabel}") == LabelValues.Other
            ? _connections.WithLabels(LabelValues.Other, LabelValues.Other)
            : _connections.WithLabels(label, portLabel);
    }

    private static string Text(Enum value) => JsonNamingPolicy.SnakeCaseLower.ConvertName($"{value}");
}
