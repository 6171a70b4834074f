namespace Whip.Hosting.Metrics;

/// <summary>
/// Makes the instruments of one process, or of one test. Asking twice for a definition gives the same instrument, so the parts that share a
/// process add into one series. An instrument keeps at most 10,000 label combinations; what comes later counts under <c>other</c>.
/// </summary>
internal interface IMetricFactory
{
    ICounter Counter(MetricDefinition definition);

    IGauge Gauge(MetricDefinition definition);

    IHistogram Histogram(MetricDefinition definition);

    /// <summary>Writes everything in Prometheus' text format 0.0.4.</summary>
    Task WriteAsync(Stream output, CancellationToken cancellationToken);
}
