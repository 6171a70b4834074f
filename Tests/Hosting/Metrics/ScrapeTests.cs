using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using Whip.Agent;
using Whip.Agent.Checks;
using Whip.Agent.Legs;
using Whip.Broker;
using Whip.Broker.Admin;
using Whip.Broker.Cluster;
using Whip.Broker.ControlStreams;
using Whip.Broker.DialFront;
using Whip.Broker.Dialing;
using Whip.Broker.Listening;
using Whip.Cli.Forward;
using Whip.Hosting.Files;
using Whip.Hosting.Listening;
using Whip.Hosting.Metrics;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Proxy.Requests;
using Whip.Registry;

namespace Whip.Tests.Hosting.Metrics;

/// <summary>Names, types, labels and buckets are a promise to dashboards: <c>scrape.txt</c> says what they are.</summary>
public sealed partial class ScrapeTests
{
    /// <summary>As in the file, <c>name type {labels} buckets</c>.</summary>
    public static string[] Promised { get; } = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Hosting/Metrics/scrape.txt"));

    [Fact]
    public async Task A_scrape_is_what_is_promised()
    {
        var registry = Prometheus.Metrics.NewCustomRegistry();
        await CountEverythingAsync(registry);
        var descriptors = DescriptorBudget.OfProcess(registry);
        descriptors.CountRefusal("dial");
        await using var pages = await WebPages.StartAsync(
            new PortKind("metrics", "the metrics port of whip-x (--metrics-listen)", Visitor.Browser),
            new IPEndPoint(IPAddress.Loopback, 0), app => MetricsPages.Map(app, registry, () => true),
            descriptors, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
        using var http = new HttpClient();
        using var response = await http.GetAsync(new Uri($"http://{pages.LocalEndPoint}/metrics")).WaitAsync(Patience.Long);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        Assert.Equal(Promised, Describe(await response.Content.ReadAsStringAsync().WaitAsync(Patience.Long)).Order(StringComparer.Ordinal));
    }

    /// <summary>What a broker of a cluster, an agent and a proxy count.</summary>
    private static async Task CountEverythingAsync(CollectorRegistry registry)
    {
        Assert.True(InstanceName.TryCreate("instance1", "testdom", out var name));
        var route = new StreamRoute { StreamId = "s1", BrokerId = "b1", Name = name, Ports = [80] };
        var domains = new LabelValues(LabelValues.MaxDomains);
        new BrokerMetrics(registry).Draining();
        _ = new LiveFiles("broker", registry, TimeProvider.System, new CertificateWatch("broker", null, registry, NullLogger.Instance, TimeProvider.System));
        new ClusterMetrics(registry).Suspects(1);
        new AdminMetrics(registry).Refused(401);
        var listeners = new ListenerMetrics(registry);
        listeners.Admitted("dial");
        listeners.Rejected("dial", "timeout");
        var streams = new ControlStreamMetrics(registry, domains);
        streams.Attached(route);
        streams.RoundTrip(route, TimeSpan.FromMilliseconds(1));
        var dials = new DialMetrics(registry, domains);
        dials.Resolved("testdom", TimeSpan.FromMilliseconds(1));
        dials.ConnectionsTo("testdom", 80).Inc();
        dials.Ended(DialOutcome.Connected, DialPath.Relayed);
        new RelayMetrics(registry).Ended(RelayEnd.Clean);
        _ = new KeptMetrics(registry, "dial");
        var checks = new CheckMetrics(registry, name);
        checks.Checked(80, isOk: true);
        checks.Is(80, isOk: true);
        var legs = new LegMetrics(registry, "testdom");
        legs.Connect("connected");
        legs.RelayStarted(80);
        _ = new LiveFiles("proxy", registry, TimeProvider.System, new CertificateWatch("proxy", null, registry, NullLogger.Instance, TimeProvider.System));
        _ = new CertificateWatch("proxy_dialer", null, registry, NullLogger.Instance, TimeProvider.System);
        var proxy = new ProxyMetrics(registry);
        proxy.Answered(200);
        proxy.Connect(DialOutcome.Connected);
        _ = new LiveFiles("forward", registry, TimeProvider.System, new CertificateWatch("forward", null, registry, NullLogger.Instance, TimeProvider.System));
        new ForwardMetrics(registry, () => 0).Dialled(DialOutcome.Connected);
        var options = new WhipAgentOptions { Hostname = "instance1", Domain = "testdom", Ports = [80], Endpoints = [":1"], Tls = { Enabled = false } };
        await using var agent = new WhipAgent(options, WhipAgent.NewOpenings(TimeProvider.System), NullLoggerFactory.Instance, registry, TimeProvider.System);
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
            yield return $"{header[2]} {header[3]} {{{string.Join(',', labels)}}} {string.Join(' ', bounds.Select(b => b.Second.Value))}".TrimEnd();
        }
    }

    [GeneratedRegex("""^[a-z_]+(?:\{(?:(?<label>[a-z_]+)="(?<value>[^"]*)",?)+\})? [0-9.]+$""")]
    private static partial Regex SamplePattern();
}
