using System.Net;
using Whip.Harness;
using Whip.Harness.Programs;
using Whip.Protocol.Tls;

namespace Whip.Bench.Demo;

/// <summary>One broker, two agents of one domain with an HTTP service behind each, and a proxy: all mutual TLS, all on this machine.</summary>
internal sealed class DemoSystem(WhipProcesses programs, TextWriter output) : IAsyncDisposable
{
    public static readonly IReadOnlyList<string> Instances = ["instance1", "instance2"];

    private IReadOnlyList<HttpService> _services = [];

    public WhipProcesses Programs => programs;

    /// <summary>What dials, or whoever wants to try, shows the broker.</summary>
    public WhipTlsOptions Dialer { get; private set; } = new();

    public WhipProcess Broker { get; private set; } = null!;

    public WhipProcess Proxy { get; private set; } = null!;

    /// <summary>What both instances publish.</summary>
    public int Port => _services[0].Port;

    public IPEndPoint DialFront => Broker.Addresses["dial"];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var certificates = new CertificateFiles(programs.Folder, tls: true);
        Dialer = certificates.Client($"dialer.{Certificates.Domain}");
        await TellAsync("certificates", $"a CA, a broker's, {string.Join("'s, ", Instances)}'s and a dialer's, in {programs.Folder}");

        Broker = await programs.StartAsync("broker", "whip-broker", [.. BrokerFlags, .. Certificates.Flags(certificates.Broker())], cancellationToken);
        await TellAsync(Broker, string.Join(' ', Broker.Addresses.Select(a => $"{a.Key}={a.Value}")));

        _services = await HttpService.StartAllAsync(Instances, cancellationToken);
        foreach (var (name, service) in Instances.Zip(_services))
        {
            string[] args =
            [
                "--hostname", name, "--domain", Certificates.Domain, "--ports", $"{Port}", "--target-host", $"{service.Host}",
                "--drain-timeout", "1s", .. Certificates.Flags(certificates.Client($"{name}.{Certificates.Domain}")), $"{Broker.Addresses["grpc"]}",
            ];
            var agent = await programs.StartAsync(name, "whip-agent", args, cancellationToken);
            await TellAsync(agent, $"publishes port {Port} as {name}.{Certificates.Domain}, an HTTP service on {service.Host}");
        }

        string[] proxyFlags = ["--broker", $"{DialFront}", "--proxy-listen-port", "0", "--drain-timeout", "1s", .. Certificates.Flags(Dialer)];
        Proxy = await programs.StartAsync("proxy", "whip-proxy", proxyFlags, cancellationToken);
        await TellAsync(Proxy, $"an HTTP proxy on {Proxy.Addresses["proxy"]}");
    }

    public async ValueTask DisposeAsync()
    {
        await programs.DisposeAsync();
        await HttpService.DisposeAllAsync(_services);
    }

    private static string[] BrokerFlags =>
    [
        "--grpc-listen", "127.0.0.1:0", "--tcp-listen", "127.0.0.1:0", "--dial-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0",
        "--admin-listen", "127.0.0.1:0", "--drain-timeout", "1s",
    ];

    private Task TellAsync(WhipProcess program, string text) => TellAsync(program.Part, $"process {program.Id}, {text}");

    private Task TellAsync(string part, string text) => output.WriteLineAsync($"{part,-13} {text}");
}
