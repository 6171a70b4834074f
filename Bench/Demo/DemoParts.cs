using System.Net;
using Whip.Protocol.Tls;

namespace Whip.Bench.Demo;

/// <summary>What every demo starts: HTTP services with an agent for each, and a proxy. Each part is reported in one line.</summary>
internal sealed class DemoParts(
    WhipProcesses programs, CertificateFiles certificates, string programFolder, IReadOnlyList<string> names, TextWriter output) : IAsyncDisposable
{
    private readonly HttpServices _services = new(names);

    /// <summary>The certificate of the dialers, the user's included.</summary>
    public WhipTlsOptions Dialer { get; } = certificates.Client($"dialer.{Certificates.Domain}");

    public int Port => _services.Port;

    /// <summary>The command <c>whip</c>: the short path that <c>make</c> leaves in bin, if that is the same program.</summary>
    public string Whip
    {
        get
        {
            const string Short = "bin/whip";
            var program = Path.Combine(programFolder, "whip");
            return File.Exists(Short) && File.ResolveLinkTarget(Short, returnFinalTarget: true)?.FullName == program ? Short : program;
        }
    }

    /// <summary>The flags with which curl goes through a dial front, which it takes for an HTTPS proxy.</summary>
    public string[] CurlFlags(IPEndPoint dialFront)
    {
        string[] tls = ["--proxy-cacert", Dialer.CaCertPath!, "--proxy-cert", Dialer.CertPath!, "--proxy-key", Dialer.KeyPath!];
        return ["--proxytunnel", "--proxy", $"https://{dialFront}", .. tls];
    }

    public async Task StartAgentsAsync(IReadOnlyList<IPEndPoint> brokers, CancellationToken cancellationToken)
    {
        await _services.StartAsync(cancellationToken);
        foreach (var (i, name) in names.Index())
        {
            string[] args =
            [
                "--hostname", name.Split('.')[0], "--domain", name.Split('.')[1], "--ports", $"{Port}", "--target-host", $"{HttpServices.Host(i)}",
                "--drain-timeout", "1s", .. Certificates.Flags(certificates.Client(name)), .. brokers.Select(broker => $"{broker}"),
            ];
            var agent = await programs.StartAsync(name, "whip-agent", args, cancellationToken);
            await ReportAsync(agent, $"publishes port {Port}, an HTTP service on {HttpServices.Host(i)}");
        }
    }

    public async Task<WhipProcess> StartProxyAsync(IEnumerable<IPEndPoint> dialFronts, CancellationToken cancellationToken)
    {
        var brokers = dialFronts.SelectMany(front => new[] { "--broker", $"{front}" });
        string[] args = [.. brokers, "--proxy-listen-port", "0", "--drain-timeout", "1s", .. Certificates.Flags(Dialer)];
        var proxy = await programs.StartAsync("proxy", "whip-proxy", args, cancellationToken);
        await ReportAsync(proxy, $"an HTTP proxy on {proxy.Addresses["proxy"]}");
        return proxy;
    }

    public Task ReportAsync(WhipProcess program) => ReportAsync(program, string.Join(' ', program.Addresses.Select(a => $"{a.Key}={a.Value}")));

    public Task ReportAsync(string part, string text) => output.WriteLineAsync($"{part,-18} {text}");

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private Task ReportAsync(WhipProcess program, string text) => ReportAsync(program.Part, $"process {program.Id}, {text}");
}
