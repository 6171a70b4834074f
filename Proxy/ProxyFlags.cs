using System.Net;
using Whip.Hosting.Flags;
using Whip.Protocol.Options;
using Options = Whip.Proxy.ProxyProgramOptions;
using ProxyOptions = Whip.Proxy.WhipProxyOptions;

namespace Whip.Proxy;

/// <summary>The flags of <c>whip-proxy</c>: the original's, and <c>--broker</c> for a broker elsewhere.</summary>
internal sealed class ProxyFlags : ProgramFlags
{
    private const string Part = $"{nameof(Options.Proxy)}.";

    public ProxyFlags()
        : base("whip-proxy", "An HTTP proxy whose upstreams are registered names.", static () => new Options())
    {
        Add($"{Part}{nameof(ProxyOptions.Brokers)}", "HOST:PORT", "The dial fronts of the brokers.", "broker");
        Add($"{Part}{nameof(ProxyOptions.Keep)}", "", "Use a connection to a broker for one dial after the other; false makes one for each.", "keep");
        AddVia($"{Part}{nameof(ProxyOptions.Via)}.");
        Add(nameof(Options.WhipExternalTcpAddress), "HOST", "Instead of --broker, be the broker: the host where agents reach --whip-tcp-listen-port.");
        AddPort(nameof(Options.WhipExternalTcpPort), "The port where agents reach --whip-tcp-listen-port; 0: that port itself.");
        AddPort(nameof(Options.WhipTcpListenPort), "Where agents bring their legs, when this is the broker.");
        AddPort(nameof(Options.WhipGrpcListenPort), "Where agents register, when this is the broker.");
        AddPort(
            $"{Part}{nameof(ProxyOptions.ListenPort)}",
            "Where HTTP clients connect: on 127.0.0.1 without a password, else on all interfaces.", "proxy-listen-port");
        Add($"{Part}{nameof(ProxyOptions.Target)}", "URL", "Send every request to this http or https URL, whatever host it names.", Target, "target");
        Add(
            $"{Part}{nameof(ProxyOptions.TargetCaCertPath)}", "FILE", "The CAs of an https --target, PEM; else those of the system.", "target-ca-cert-path");
        Add(
            $"{Part}{nameof(ProxyOptions.ProxyHosts)}", "HOST",
            "A name under which clients ask for --target when there is no password, besides the address of the proxy.", "proxy-host");
        Add($"{Part}{nameof(ProxyOptions.Fallback)}", "", "Connect directly to public addresses of hosts whose domain no broker knows.", "fallback");
        Add(
            $"{Part}{nameof(ProxyOptions.FallbackAllow)}", "CIDR",
            "Further addresses that --fallback may reach, such as 10.1.0.0/16.", Network, "fallback-allow");
        Add(
            $"{Part}{nameof(ProxyOptions.DownstreamRequestIdHeader)}", "NAME",
            "The request header whose value becomes the request's id; else it is random.", "downstream-request-id-header");
        Add(nameof(Options.ProxyTls), "", "Clients speak TLS to the proxy.");
        Add($"{Part}{nameof(ProxyOptions.ServerKeyPath)}", "FILE", "The private key for --proxy-tls, PEM.", "proxy-tls-key-path");
        Add($"{Part}{nameof(ProxyOptions.ServerCertPath)}", "FILE", "The certificate for --proxy-tls and its intermediates, PEM.", "proxy-tls-cert-path");
        Add($"{Part}{nameof(ProxyOptions.Username)}", "NAME", "The user name of Basic authentication.", "proxy-auth-username");
        Add(nameof(Options.ProxyAuthPasswordEnv), "NAME", "The environment variable that holds the password.");
        Add(nameof(Options.ProxyAuthPasswordPath), "FILE", "The file that holds the password, when no environment variable does.", isRestriction: true);
        Add(
            $"{Part}{nameof(ProxyOptions.RequestBodyTimeout)}", "DURATION",
            "How long a client may send nothing inside a request's body; then 408.", "request-body-timeout");
        Add(
            $"{Part}{nameof(ProxyOptions.AnswerTimeout)}", "DURATION",
            "How long an upstream may take nothing of a request, or be silent after it; then 504.", "answer-timeout");
        Add(
            $"{Part}{nameof(ProxyOptions.AnswerIdleTimeout)}", "DURATION",
            "How long an upstream may send nothing inside an answer's body, which is then cut off.", "answer-idle-timeout");
        Add(
            $"{Part}{nameof(ProxyOptions.DrainTimeout)}", "DURATION",
            "How long requests and tunnels may continue after SIGTERM before they are reset.", "drain-timeout");
    }

    private void AddPort(string property, string help, string? name = null) => AddNumber(property, "PORT", help, 0, 65535, name);

    private static Uri Target(string source, string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) ? url
        : throw new WhipOptionException(source, text, "not an http or https URL", "http://host.domain:port");

    private static object Network(string source, string text) =>
        IPNetwork.TryParse(text, out var network)
            ? network
            : throw new WhipOptionException(source, text, "not a CIDR, an address with zeros after the prefix", "10.1.0.0/16 or 10.1.2.3/32");
}
