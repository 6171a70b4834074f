using System.Text;
using Whip.Hosting.Metrics;
using Xunit;

namespace Whip.Tests.Hosting.Metrics;

public sealed class MetricTextTests
{
    [Theory]
    [InlineData(double.PositiveInfinity, "+Inf")]
    [InlineData(double.NegativeInfinity, "-Inf")]
    [InlineData(double.NaN, "NaN")]
    public void What_is_no_number_has_Prometheus_spelling(double value, string expected)
    {
        var text = new StringBuilder();
        MetricText.AppendSample(text, WhipMetrics.BrokerStreams, "", [], null, value);
        Assert.Equal($"whip_broker_streams {expected}\n", text.ToString());
    }
}
