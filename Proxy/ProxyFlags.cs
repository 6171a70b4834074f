using System.Net;
using Whip.Hosting.Flags;
using Whip.Protocol.Connect;

namespace Whip.Proxy;

/// <summary>The flags of <c>whip-proxy</c>: the original's, and <c>--broker</c> for a broker elsewhere.</summary>
internal sealed class ProxyFlags
{
    private readonly Flag<IReadOnlyList<string>> _brokers;
    private readonly Flag<string> _externalTcpAddress;
    private readonly Flag<int> _externalTcpPort;
    private readonly Flag<int> _tcpListenPort;
    private readonly Flag<int> _grpcListenPort;
    private readonly Flag<int> _listenPort;
    private readonly Flag<string> _target;
    private readonly Flag<bool> _fallback;
    private readonly Flag<IReadOnlyList<string>> _fallbackAllow;
    private readonly Flag<string> _requestIdHeader;
    private readonly Flag<bool> _tls;
    private readonly Flag<string> _tlsKeyPath;
    private readonly Flag<string> _tlsCertPath;
    private readonly Flag<string> _username;
    private readonly Flag<string> _passwordVariable;
    private readonly Flag<string> _passwordPath;
    private readonly Flag<TimeSpan> _drainTimeout;

    public ProxyFlags()
    {
        var defaults = new WhipProxyOptions();
        Set = new FlagSet("whip-proxy", "An HTTP proxy whose upstreams are registered names.");
        _brokers = Set.HostPorts("broker", "The dial fronts of the brokers.");
        _externalTcpAddress = Set.Text("whip-external-tcp-address", "", "Instead of --broker, be the broker: the host where agents reach --whip-tcp-listen-port.", "HOST");
        _externalTcpPort = Set.Port("whip-external-tcp-port", 0, "The port where agents reach --whip-tcp-listen-port; 0: that port itself.");
        _tcpListenPort = Set.Port("whip-tcp-listen-port", 8000, "Where agents bring their legs, when this is the broker.");
        _grpcListenPort = Set.Port("whip-grpc-listen-port", 8001, "Where agents register, when this is the broker.");
        _listenPort = Set.Port("proxy-listen-port", defaults.ListenPort, "Where HTTP clients connect: on 127.0.0.1 without a password, else on all interfaces.");
        _target = Set.Text("target", "", "Send every request to this http or https URL, whatever host it names.", "URL");
        _fallback = Set.Switch("fallback", false, "Connect directly to public addresses of hosts whose domain no broker knows.");
        _fallbackAllow = Set.Texts("fallback-allow", "Further addresses that --fallback may reach, such as 10.1.0.0/16.", "CIDR");
        _requestIdHeader = Set.Text("downstream-request-id-header", "", "The request header whose value becomes the request's id; else it is random.", "NAME");
        _tls = Set.Switch("proxy-tls", false, "Clients speak TLS to the proxy.");
        _tlsKeyPath = Set.File("proxy-tls-key-path", "The private key for --proxy-tls, PEM.");
        _tlsCertPath = Set.File("proxy-tls-cert-path", "The certificate for --proxy-tls and its intermediates, PEM.");
        _username = Set.Text("proxy-auth-username", defaults.Username, "The user name of Basic authentication.", "NAME");
        _passwordVariable = Set.Text("proxy-auth-password-env", "WHIP_PROXY_PASSWORD", "The environment variable that holds the password.", "NAME");
        _passwordPath = Set.File("proxy-auth-password-path", "The file that holds the password, when no environment variable does.");
        _drainTimeout = Set.Duration("drain-timeout", defaults.DrainTimeout, "How long requests and tunnels may go on after SIGTERM before they are reset.");
    }

    public FlagSet Set { get; }

    /// <summary>The flags of the proxy itself; what dials is the caller's to add.</summary>
    /// <exception cref="StartupException">A value is of no use, or does not go with another.</exception>
    public WhipProxyOptions Read(FlagValues values, Func<string, string?> variable) => new()
    {
        Brokers = [.. values.Get(_brokers)],
        Tls = values.TlsOptions,
        ListenPort = values.Get(_listenPort),
        Target = Target(values.Get(_target)),
        Fallback = values.Get(_fallback),
        FallbackAllow = [.. values.Get(_fallbackAllow).Select(Network)],
        DownstreamRequestIdHeader = HeaderName(values.Get(_requestIdHeader)),
        Username = Username(values.Get(_username)),
        Password = Password(values, variable),
        ServerCertPath = TlsPath(values, _tlsCertPath),
        ServerKeyPath = TlsPath(values, _tlsKeyPath),
        DrainTimeout = values.Get(_drainTimeout),
    };

    /// <summary>The broker to be in this process; null: --broker names one elsewhere.</summary>
    /// <exception cref="StartupException">Both or neither are given.</exception>
    public OneProcess? ReadOneProcess(FlagValues values)
    {
        var address = values.Get(_externalTcpAddress);
        var named = values.Get(_brokers).Count > 0;
        if (named == address.Length > 0)
        {
            throw new StartupException(
                $"--{_brokers.Name}",
                null,
                named ? "does not go with --whip-external-tcp-address: the broker is either elsewhere or here" : "is needed, to know where to dial",
                named ? "one of the two" : "--broker HOST:8010, or --whip-external-tcp-address HOST to be the broker in this process");
        }

        return named ? null : new OneProcess(address, values.Get(_externalTcpPort), values.Get(_tcpListenPort), values.Get(_grpcListenPort), values.TlsOptions);
    }

    private static Uri? Target(string text) =>
        text.Length == 0 ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var url) && url is { Scheme: "http" or "https", Host.Length: > 0, UserInfo: "", Fragment: "" } ? url
        : throw new StartupException("--target", text, "not an http or https URL", "http://host.domain:port");

    private static IPNetwork Network(string text) =>
        IPNetwork.TryParse(text, out var network)
            ? network
            : throw new StartupException("--fallback-allow", text, "not a CIDR, an address with zeros after the prefix", "10.1.0.0/16 or 10.1.2.3/32");

    private static string? HeaderName(string text) =>
        text.Length == 0 ? null
        : !text.AsSpan().ContainsAnyExcept(HeadText.TokenCharacters) ? text
        : throw new StartupException("--downstream-request-id-header", text, "not a header's name", "X-Request-Id");

    private static string Username(string text) =>
        text.Length > 0 && !text.Contains(':')
            ? text
            : throw new StartupException("--proxy-auth-username", text, "empty, or with a colon, which Basic authentication cannot carry", "another name");

    private string? Password(FlagValues values, Func<string, string?> variable)
    {
        if (variable(values.Get(_passwordVariable)) is { Length: > 0 } password)
        {
            return password;
        }

        var path = values.Get(_passwordPath);
        if (path.Length == 0)
        {
            return null;
        }

        try
        {
            var text = File.ReadAllText(path).TrimEnd('\r', '\n');
            return text.Length > 0 ? text : throw new StartupException($"--{_passwordPath.Name}", path, "the file is empty", "a file with the password in it");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"--{_passwordPath.Name}", path, "the file cannot be read", "a file this user may read");
        }
    }

    private string? TlsPath(FlagValues values, Flag<string> flag)
    {
        var path = values.Get(flag);
        return (values.Get(_tls), path.Length > 0) switch
        {
            (true, true) => path,
            (false, false) => null,
            (true, false) => throw new StartupException($"--{flag.Name}", null, "is needed with --proxy-tls", $"--{flag.Name} FILE"),
            (false, true) => throw new StartupException($"--{flag.Name}", path, "is of no use without --proxy-tls", "--proxy-tls"),
        };
    }
}
