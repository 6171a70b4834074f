using Whip.Broker.Dialing;
using Whip.Hosting.Metrics;

namespace Whip.Tests.Hosting.Metrics;

public sealed class LabelValuesTests
{
    [Fact]
    public void Past_their_limit_values_are_other_and_stay_what_they_are()
    {
        var labels = new LabelValues(max: 2);
        for (var round = 0; round < 2; round++)
        {
            Assert.Equal(["a", "b", "other"], new[] { "a", "b", "c" }.Select(labels.For));
        }
    }

    [Fact]
    public void Past_10000_domains_and_ports_the_rest_of_the_connections_counts_as_other()
    {
        var metrics = new DialMetrics(Prometheus.Metrics.NewCustomRegistry(), new LabelValues(LabelValues.MaxDomains));
        Assert.Equal(10_000, Enumerable.Range(1, 10_000).Select(port => metrics.ConnectionsTo("testdom", port)).Distinct().Count());
        Assert.Same(metrics.ConnectionsTo("testdom", 10_001), metrics.ConnectionsTo("testdom", 10_002));
        Assert.NotSame(metrics.ConnectionsTo("testdom", 10_001), metrics.ConnectionsTo("testdom", 10_000));
    }

    [Fact]
    public async Task Past_1000_domains_the_rest_of_the_dials_counts_as_other()
    {
        var registry = Prometheus.Metrics.NewCustomRegistry();
        var metrics = new DialMetrics(registry, new LabelValues(LabelValues.MaxDomains));
        for (var domain = 0; domain < 1_100; domain++)
        {
            metrics.Resolved($"d{domain}.testdom", TimeSpan.Zero);
        }

        var scrape = await Scrape.ReadAsync(registry);
        Assert.Contains("whip_server_tcp_connection_latency_count{domain=\"d999.testdom\",op=\"resolve\"} 1\n", scrape);
        Assert.Contains("whip_server_tcp_connection_latency_count{domain=\"other\",op=\"resolve\"} 100\n", scrape);
        Assert.DoesNotContain("d1000.testdom", scrape);
    }
}
