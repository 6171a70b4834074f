namespace Whip.Hosting.Metrics;

internal enum MetricType
{
    Counter,
    Gauge,
    Histogram,
}
