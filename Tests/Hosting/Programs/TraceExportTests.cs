using System.Diagnostics;
using Whip.Client;
using Whip.Harness.Checking;
using Whip.Hosting.Programs;
using Whip.Protocol.Dialing;
using Whip.Tests.Bench;

namespace Whip.Tests.Hosting.Programs;

/// <summary>Programs send the spans of dials to a collector, if the environment names one.</summary>
[Collection(nameof(RunsAlone))]
public sealed class TraceExportTests
{
    private const string Name = "instance1.testdom";

    [SkippableFact]
    public async Task A_dial_is_one_tree_over_its_dialer_two_brokers_and_the_agent()
    {
        PostgresServer.Require();
        await using var collector = await OtlpCollector.StartAsync();
        await using var service = new CheckingService();
        var setup = new ClusterSetup(AppContext.BaseDirectory, Tls: true) { BrokerCount = 2, Environment = collector.Environment };
        await using var cluster = await LocalCluster.StartAsync(setup, CancellationToken.None);
        var home = cluster.HomeOf(Name);
        var files = Certificates.Flags(cluster.CertificateFiles.Client(Name));
        string[] publish = ["--hostname", "instance1", "--domain", "testdom", "--ports", $"{service.Port}", "--homes", "1"];
        await cluster.Programs.StartAsync("agent", "whip-agent", [.. publish, $"{home.Grpc}", .. files], CancellationToken.None);

        // Not the holder, which relays for the library and redirects the program.
        var ingress = cluster.Brokers.Single(broker => broker != home);
        (await cluster.DialAsync(ingress, Name, service.Port, CancellationToken.None)).Abort();
        await DialAsync(cluster, ingress, service.Port);
        await ConnectAsync(cluster, ingress, service.Port);
        var areWhole = await Polling.UntilAsync(
            () => Relayed(collector) is not null && Redirected(collector) is not null, Patience.Long, TimeSpan.FromMilliseconds(20), CancellationToken.None);
        Assert.True(areWhole, string.Join('\n', collector.Traces().SelectMany(trace => trace)));
        var relayed = Paths(Relayed(collector)!);
        Assert.Contains("dial > resolve", relayed);
        Assert.Contains("dial > ask > dial > leg > open service", relayed);
        Assert.Contains("dial > ask > dial > leg > first byte", relayed);
        var redirected = Redirected(collector)!;
        Assert.Contains("dial > ask > dial > resolve", Paths(redirected));
        Assert.Contains("dial > ask > dial > leg > first byte", Paths(redirected));
        Assert.Single(redirected, span => span.ParentId.Length == 0);
    }

    [Fact]
    public void Nothing_is_sent_unless_the_environment_asks_for_it()
    {
        Assert.Null(Start());
        Assert.Null(Start(("OTEL_EXPORTER_OTLP_ENDPOINT", "")));
        Assert.Null(Start(("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"), ("OTEL_SDK_DISABLED", "true")));
        Assert.Null(Start(("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"), ("OTEL_TRACES_EXPORTER", "none")));
        Assert.Null(DialTrace.Begin("dial", ActivityKind.Client, default));
        using var own = new Activity("own").SetIdFormat(ActivityIdFormat.W3C).Start();
        Assert.Equal(own.Id, DialTrace.ToSend());
        Assert.Equal("what came with the dial", DialTrace.ToSend("what came with the dial"));

        static TraceExport? Start(params (string Name, string Value)[] environment) =>
            TraceExport.Start("whip-test", name => environment.FirstOrDefault(variable => variable.Name == name).Value);
    }

    [Theory]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true)]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01", false)]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", false)]
    [InlineData("0af7651916cd43dd8448eb211c80319c", false)]
    [InlineData("", false)]
    public void A_header_that_is_none_counts_as_missing(string header, bool isValid)
    {
        Assert.Equal(isValid ? header : null, DialTrace.Valid([header]));
        Assert.Null(DialTrace.Valid([header, header]));
        Assert.Null(DialTrace.Valid([]));
    }

    /// <summary>By the library, for which the broker relays, inside of what this process traces.</summary>
    private static async Task DialAsync(LocalCluster cluster, LocalBroker broker, int port)
    {
        using var traced = new Activity("caller").SetIdFormat(ActivityIdFormat.W3C).Start();
        traced.ActivityTraceFlags = ActivityTraceFlags.Recorded;
        using var dialer = new WhipDialer(new WhipDialerOptions { Brokers = [$"{broker.Dial}"], FollowRedirects = false, Tls = cluster.Dialer });
        await using var stream = await dialer.DialAsync(Name, port);
        await stream.WriteAsync(new[] { CheckingService.Repeat });
        Assert.Equal(CheckingService.Repeat, (await stream.ReadExactlyAsync(1))[0]);
    }

    private static async Task ConnectAsync(LocalCluster cluster, LocalBroker broker, int port)
    {
        string[] args = ["connect", $"{Name}:{port}", "--broker", $"{broker.Dial}", .. Certificates.Flags(cluster.Dialer)];
        using var connect = cluster.Programs.StartPiped("whip", args);
        await using (var input = connect.StandardInput.BaseStream)
        {
            await input.WriteAsync(new[] { CheckingService.Repeat });
        }

        var output = await connect.StandardOutput.ReadToEndAsync().WaitAsync(Patience.Long);
        await connect.WaitForExitAsync().WaitAsync(Patience.Long);
        Assert.Equal((0, $"{(char)CheckingService.Repeat}"), (connect.ExitCode, output));
    }

    /// <summary>Of the library's dials: its own span is not sent, and three processes have sent theirs.</summary>
    private static OtlpSpan[]? Relayed(OtlpCollector collector) => Whole(collector, ["whip-agent", "whip-broker", "whip-broker"]);

    private static OtlpSpan[]? Redirected(OtlpCollector collector) =>
        Whole(collector, ["whip connect", "whip-agent", "whip-broker", "whip-broker"]);

    private static OtlpSpan[]? Whole(OtlpCollector collector, string[] services) => collector.Traces()
        .Select(trace => trace.ToArray())
        .FirstOrDefault(trace => trace.Any(span => span.Name == "first byte")
            && trace.DistinctBy(span => span.Process).Select(span => span.Service).Order(StringComparer.Ordinal).SequenceEqual(services)
            && services.Contains("whip connect") == trace.Any(span => span is { ParentId: "", Name: "dial" }));

    /// <summary>The names from the root to each span.</summary>
    private static string[] Paths(OtlpSpan[] trace) => [.. trace.Select(span => Path(trace, span)).Order(StringComparer.Ordinal)];

    private static string Path(OtlpSpan[] trace, OtlpSpan span) =>
        trace.FirstOrDefault(parent => parent.Id == span.ParentId) is { } parent ? $"{Path(trace, parent)} > {span.Name}" : span.Name;
}
