using System.Text;
using Whip.Hosting.Metrics;

namespace Whip.Tests.Hosting.Metrics;

public sealed class MetricFactoryTests
{
    private static readonly MetricDefinition Requests = new(MetricType.Counter, "x_total", "Slash \\ and\nline.", "who", "why");
    private static readonly MetricDefinition Level = new(MetricType.Gauge, "x_level", "Level.");
    private static readonly MetricDefinition Latency = new(MetricType.Histogram, "x_latency", "Latency.", "who") { Buckets = [0.001, 0.5, 1] };

    private readonly MetricFactory _factory = new();

    [Fact]
    public async Task Counters_and_gauges_are_written_with_their_header()
    {
        _factory.Counter(Requests).Add(1.5, "a\"b\\c", "x\ny");
        _factory.Counter(Requests).Add(1, "a\"b\\c", "x\ny");
        Assert.Equal("# HELP x_total Slash \\\\ and\\nline.\n# TYPE x_total counter\nx_total{who=\"a\\\"b\\\\c\",why=\"x?y\"} 2.5\n", await ScrapeAsync());
    }

    [Fact]
    public async Task A_value_without_labels_stands_there_from_the_start()
    {
        var level = _factory.Gauge(Level);
        Assert.EndsWith("\nx_level 0\n", await ScrapeAsync());
        level.Add(3);
        level.Add(-4.25);
        Assert.EndsWith("\nx_level -1.25\n", await ScrapeAsync());
        level.Set(1.0 / 3);
        Assert.EndsWith("\nx_level 0.3333333333333333\n", await ScrapeAsync());
    }

    [Fact]
    public async Task A_histogram_counts_what_is_at_most_each_bound()
    {
        var latency = _factory.Histogram(Latency);
        foreach (var value in (double[])[0.001, 0.0011, 0.5, 2])
        {
            latency.Observe(value, "a");
        }

        var scrape = await ScrapeAsync();
        Assert.StartsWith("# HELP x_latency Latency.\n# TYPE x_latency histogram\n", scrape);
        Assert.Equal(
            [
                ("x_latency_bucket{who=\"a\",le=\"0.001\"}", 1),
                ("x_latency_bucket{who=\"a\",le=\"0.5\"}", 3),
                ("x_latency_bucket{who=\"a\",le=\"1\"}", 3),
                ("x_latency_bucket{who=\"a\",le=\"+Inf\"}", 4),
            ],
            Samples(scrape).Where(s => s.Series.Contains("_bucket", StringComparison.Ordinal)));
        Assert.Contains(("x_latency_sum{who=\"a\"}", 2.5021), Samples(scrape));
        Assert.Contains(("x_latency_count{who=\"a\"}", 4), Samples(scrape));
    }

    [Fact]
    public void Misuse_throws()
    {
        Assert.Throws<ArgumentException>(() => _factory.Gauge(Requests));
        Assert.Throws<ArgumentException>(() => _factory.Counter(Requests).Add(1, "only one"));
        Assert.Throws<ArgumentOutOfRangeException>(() => _factory.Counter(Requests).Add(-1, "a", "b"));
        Assert.Throws<ArgumentException>(() => _factory.Counter(Requests with { Labels = ["other"] }));
    }

    [Fact]
    public async Task Adds_from_many_threads_are_all_counted()
    {
        var counter = _factory.Counter(Requests);
        var latency = _factory.Histogram(Latency);
        Parallel.For(0, 20_000, i =>
        {
            counter.Add(0.5, "a", $"{i % 7}");
            latency.Observe(0.25, "a");
        });
        var values = Samples(await ScrapeAsync());
        Assert.Equal(10_000, values.Where(v => v.Series.StartsWith("x_total", StringComparison.Ordinal)).Sum(v => v.Value));
        Assert.Contains(("x_latency_sum{who=\"a\"}", 5_000), values);
        Assert.Contains(("x_latency_count{who=\"a\"}", 20_000), values);
    }

    [Fact]
    public async Task Past_10000_series_the_rest_counts_as_other()
    {
        var counter = _factory.Counter(Requests);
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 10_100; i++)
            {
                counter.Add(1, "a", $"{i}");
            }
        }

        var values = Samples(await ScrapeAsync());
        Assert.Equal(10_001, values.Count);
        Assert.Contains(("x_total{who=\"a\",why=\"9999\"}", 2), values);
        Assert.Contains(("x_total{who=\"other\",why=\"other\"}", 200), values);
    }

    [Fact]
    public void Past_its_limit_domain_labels_are_other_and_stay_what_they_are()
    {
        var labels = new DomainLabels(max: 2);
        for (var round = 0; round < 2; round++)
        {
            Assert.Equal(["a", "b", "other"], new[] { "a", "b", "c" }.Select(labels.For));
        }
    }

    private async Task<string> ScrapeAsync()
    {
        using var stream = new MemoryStream();
        await _factory.WriteAsync(stream, CancellationToken.None);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static List<(string Series, double Value)> Samples(string scrape) =>
    [
        .. from line in scrape.Split('\n', StringSplitOptions.RemoveEmptyEntries)
           where !line.StartsWith('#')
           let space = line.LastIndexOf(' ')
           select (line[..space], double.Parse(line[(space + 1)..])),
    ];
}
