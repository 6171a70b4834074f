using Prometheus;
using Whip.Hosting.Metrics;

namespace Whip.Broker.ControlStreams;

/// <summary>Metrics of control streams. Registrations are names, however many streams each has.</summary>
internal sealed class ControlStreamMetrics(CollectorRegistry registry, LabelValues domains)
{
    private readonly Gauge _registrations = Metrics.WithCustomRegistry(registry).CreateGauge(
        "whip_server_active_registrations", "Registered instances.", "domain");

    private readonly Gauge _streams = Metrics.WithCustomRegistry(registry).CreateGauge("whip_broker_streams", "Registered control streams.");

    private readonly Gauge _unhealthy = Metrics.WithCustomRegistry(registry).CreateGauge(
        "whip_broker_unhealthy_ports", "Published ports whose check fails at the agent, of all control streams.");

    private readonly Histogram _roundTrip = Metrics.WithCustomRegistry(registry).CreateHistogram(
        "whip_server_client_round_trip_latency", "Seconds from a ping on the control stream to its answer.", ["domain"],
        new HistogramConfiguration { Buckets = LatencyBuckets.Seconds });

    private readonly Dictionary<string, int> _instances = [];

    public void Attached(StreamRoute route)
    {
        _streams.Inc();
        lock (_instances)
        {
            var streams = _instances.GetValueOrDefault(route.Name.FullName) + 1;
            _instances[route.Name.FullName] = streams;
            _registrations.WithLabels(domains.For(route.Name.Domain)).Inc(streams == 1 ? 1 : 0);
        }
    }

    public void Detached(StreamRoute route)
    {
        _streams.Dec();
        lock (_instances)
        {
            var streams = _instances[route.Name.FullName] - 1;
            if (streams > 0)
            {
                _instances[route.Name.FullName] = streams;
                return;
            }

            _instances.Remove(route.Name.FullName);
            _registrations.WithLabels(domains.For(route.Name.Domain)).Dec();
        }
    }

    /// <summary>Counts those of these streams whenever the metrics are read.</summary>
    public void CountUnhealthy(LiveStreams streams)
    {
        var counted = 0;
        registry.AddBeforeCollectCallback(() =>
        {
            var now = streams.UnhealthyPorts;
            _unhealthy.Inc(now - Interlocked.Exchange(ref counted, now));
        });
    }

    public void RoundTrip(StreamRoute route, TimeSpan time) => _roundTrip.WithLabels(domains.For(route.Name.Domain)).Observe(time.TotalSeconds);
}
