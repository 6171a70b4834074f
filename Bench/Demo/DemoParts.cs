using System.Net;
using Whip.Harness;
using Whip.Harness.Programs;
using Whip.Protocol.Tls;

namespace Whip.Bench.Demo;

/// <summary>What every demo starts: HTTP services with an agent for each, and a proxy. Each part is told of in one line.</summary>
internal sealed class DemoParts(WhipProcesses programs, CertificateFiles certificates, string programFolder, TextWriter output) : IAsyncDisposable
{
    private IReadOnlyList<HttpService> _services = [];

    /// <summary>What dials, or whoever wants to try, shows the brokers.</summary>
    public WhipTlsOptions Dialer { get; } = certificates.Client($"dialer.{Certificates.Domain}");

    /// <summary>What all agents publish.</summary>
    public int Port => _services[0].Port;

    /// <summary>The command <c>whip</c>: the short way that <c>make</c> leaves in bin, where that is the same program.</summary>
    public string Whip
    {
        get
        {
            const string Short = "bin/whip";
            var program = Path.Combine(programFolder, "whip");
            return File.Exists(Short) && File.ResolveLinkTarget(Short, returnFinalTarget: true)?.FullName == program ? Short : program;
        }
    }

    /// <summary>How curl goes through a dial front, which it takes for an HTTPS proxy.</summary>
    public string[] CurlFlags(IPEndPoint dialFront) =>
    [
        "--proxytunnel", "--proxy", $"https://{dialFront}", "--proxy-cacert", Dialer.CaCertPath!, "--proxy-cert", Dialer.CertPath!, "--proxy-key", Dialer.KeyPath!,
    ];

    public async Task StartAgentsAsync(IReadOnlyList<string> names, IReadOnlyList<IPEndPoint> brokers, CancellationToken cancellationToken)
    {
        _services = await HttpService.StartAllAsync(names, cancellationToken);
        foreach (var (name, service) in names.Zip(_services))
        {
            var (hostname, domain) = (name.Split('.')[0], name.Split('.')[1]);
            string[] args =
            [
                "--hostname", hostname, "--domain", domain, "--ports", $"{Port}", "--target-host", $"{service.Host}", "--drain-timeout", "1s",
                .. Certificates.Flags(certificates.Client(name)), .. brokers.Select(broker => $"{broker}"),
            ];
            var agent = await programs.StartAsync(name, "whip-agent", args, cancellationToken);
            await TellAsync(agent, $"publishes port {Port}, an HTTP service on {service.Host}");
        }
    }

    public async Task<WhipProcess> StartProxyAsync(IEnumerable<IPEndPoint> dialFronts, CancellationToken cancellationToken)
    {
        var brokers = dialFronts.SelectMany(front => new[] { "--broker", $"{front}" });
        string[] args = [.. brokers, "--proxy-listen-port", "0", "--drain-timeout", "1s", .. Certificates.Flags(Dialer)];
        var proxy = await programs.StartAsync("proxy", "whip-proxy", args, cancellationToken);
        await TellAsync(proxy, $"an HTTP proxy on {proxy.Addresses["proxy"]}");
        return proxy;
    }

    public Task TellAsync(WhipProcess program) => TellAsync(program, string.Join(' ', program.Addresses.Select(a => $"{a.Key}={a.Value}")));

    public Task TellAsync(string part, string text) => output.WriteLineAsync($"{part,-18} {text}");

    public async ValueTask DisposeAsync() => await HttpService.DisposeAllAsync(_services);

    private Task TellAsync(WhipProcess program, string text) => TellAsync(program.Part, $"process {program.Id}, {text}");
}
