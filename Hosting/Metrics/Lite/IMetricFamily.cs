using System.Text;

namespace Whip.Hosting.Metrics;

internal interface IMetricFamily
{
    MetricDefinition Definition { get; }

    void AppendTo(StringBuilder text);
}
