using System.Text.RegularExpressions;

namespace Whip.Tests.Docs;

/// <summary>How the operations page has Prometheus scrape an agent that it cannot reach.</summary>
public sealed class ScrapeThroughProxyTests
{
    // Of the document; here it is a free one.
    private const string MetricsPort = "5080";

    [SkippableFact]
    public async Task An_agent_that_publishes_its_metrics_port_is_scraped_through_whip_proxy()
    {
        Tools.Require("curl");
        using var folder = new TempFolder();
        var blocks = DocBlock.Read(Documents.All["docs/operations.md"]).ToLookup(block => block.Marker, block => block.Text);
        var port = $"{FreePort.Find(1)[0]}";
        var policy = folder.Write("policy.json", blocks["scrape-policy"].Single().Replace(MetricsPort, port));
        string[] broker = [.. Certificates.Flags(TestCertificates.Shared.WriteFiles(folder.FullName)), "--dial-policy", policy];
        string[] agent = ClientFlags("instance1.testdom");
        string[] prometheus = ClientFlags("prometheus.dialers");

        await using var front = await WhipProcess.StartReadyAsync(
            "whip-broker",
            [.. broker, "--grpc-listen=127.0.0.1:0", "--tcp-listen=127.0.0.1:0", "--dial-listen=127.0.0.1:0", "--metrics-listen=", "--admin-listen="]);
        await using var behind = await WhipProcess.StartReadyAsync(
            "whip-agent",
            [
                .. agent, "--hostname=instance1", "--domain=testdom", $"--ports=5051,{port}", $"--metrics-listen=127.0.0.1:{port}",
                $"{front.Addresses["grpc"]}",
            ]);
        await front.ErrorLineAsync("instance1.testdom registered");
        await using var proxy = await WhipProcess.StartReadyAsync(
            "whip-proxy", [.. prometheus, $"--broker=localhost:{front.Addresses["dial"].Port}", "--proxy-listen-port=0"]);

        var scrape = blocks["scrape"].Single();
        var url = Regex.Match(scrape, @"proxy_url: (http://127\.0\.0\.1:)\d+\n").Groups[1].Value + proxy.Addresses["proxy"].Port;
        var target = Regex.Match(scrape, @"""([a-z0-9.]+:)5080""").Groups[1].Value;
        string[] expected = ["\nwhip_agent_streams 1\n", "\nwhip_ready 1\n"];
        await Patience.UntilAsync(
            async () => await CurlAsync($"{target}{port}") is var metrics && Array.TrueForAll(expected, metrics.Contains), string.Concat(expected));
        Assert.Contains("the dial policy does not let this dialer reach instance1.testdom:5051", await CurlAsync($"{target}5051"));

        string[] ClientFlags(string name) => Certificates.Flags(TestCertificates.Shared.WriteClientFiles(folder.FullName, name));

        async Task<string> CurlAsync(string address) =>
            (await ShellCommand.RunAsync("/", "curl", "-s", "--max-time", "30", "-x", url, $"http://{address}/metrics")).Text;
    }
}
