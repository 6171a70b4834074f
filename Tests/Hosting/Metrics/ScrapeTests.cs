using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Hosting.Health;
using Whip.Hosting.Metrics;

namespace Whip.Tests.Hosting.Metrics;

/// <summary>Names, types, labels and buckets are a promise to dashboards: <c>scrape.txt</c> says what they are.</summary>
public sealed partial class ScrapeTests
{
    private static readonly string[] Promised = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Hosting/Metrics/scrape.txt"));

    [Fact]
    public void The_table_is_what_is_promised()
    {
        var fields = typeof(WhipMetrics).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => f.GetValue(null)).OfType<MetricDefinition>();
        Assert.Equal(WhipMetrics.All, fields);
        Assert.Equal(Promised, WhipMetrics.All.Select(Describe).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_scrape_is_what_is_promised()
    {
        var factory = new MetricFactory();
        foreach (var definition in WhipMetrics.All)
        {
            Touch(factory, definition);
        }

        await using var server = await PlainHttpServer.StartAsync(
            new IPEndPoint(IPAddress.Loopback, 0), new MetricsApplication(factory, () => true), NullLoggerFactory.Instance, CancellationToken.None);
        using var http = new HttpClient();
        using var response = await http.GetAsync(new Uri($"http://{server.LocalEndPoint}/metrics")).WaitAsync(Patience.Long);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        Assert.Equal(Promised, Describe(await response.Content.ReadAsStringAsync().WaitAsync(Patience.Long)).Order(StringComparer.Ordinal));
    }

    private static void Touch(MetricFactory factory, MetricDefinition definition)
    {
        var labels = definition.Labels.Select(l => $"some {l}").ToArray();
        switch (definition.Type)
        {
            case MetricType.Counter:
                factory.Counter(definition).Add(1, labels);
                break;
            case MetricType.Gauge:
                factory.Gauge(definition).Set(1, labels);
                break;
            default:
                factory.Histogram(definition).Observe(0.1, labels);
                break;
        }
    }

    private static string Describe(MetricDefinition definition)
    {
        var bounds = definition.Buckets.Select(b => b.ToString("R", CultureInfo.InvariantCulture));
        return Line(definition.Name, definition.Type.ToString().ToLowerInvariant(), definition.Labels, definition.Type == MetricType.Histogram ? [.. bounds, "+Inf"] : []);
    }

    private static IEnumerable<string> Describe(string scrape)
    {
        foreach (var family in scrape.Split("# HELP ", StringSplitOptions.RemoveEmptyEntries))
        {
            var lines = family.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            var header = lines[1].Split(' ');
            var samples = lines[2..].Select(l => SamplePattern().Match(l)).ToArray();
            Assert.All(samples, s => Assert.True(s.Success));
            var labels = samples[0].Groups["label"].Captures.Select(c => c.Value).Where(l => l != "le");
            var bounds = samples.SelectMany(s => s.Groups["label"].Captures.Zip(s.Groups["value"].Captures)).Where(l => l.First.Value == "le");
            yield return Line(header[2], header[3], labels, bounds.Select(b => b.Second.Value));
        }
    }

    private static string Line(string name, string type, IEnumerable<string> labels, IEnumerable<string> bounds) =>
        $"{name} {type} {{{string.Join(',', labels)}}} {string.Join(' ', bounds)}".TrimEnd();

    [GeneratedRegex("""^[a-z_]+(?:\{(?:(?<label>[a-z_]+)="(?<value>[^"]*)",?)+\})? [0-9.]+$""")]
    private static partial Regex SamplePattern();
}
