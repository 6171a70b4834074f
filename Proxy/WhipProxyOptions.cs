using System.Net;
using Whip.Hosting;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;
using Whip.Protocol.Via;
using Whip.Proxy.Clients;

namespace Whip.Proxy;

/// <summary>How a proxy is set up.</summary>
public sealed class WhipProxyOptions : ICheckedOptions
{
    /// <summary>The brokers' dial fronts, each <c>HOST:PORT</c>. Not with <see cref="Dialer"/>.</summary>
    public IList<string> Brokers { get; set; } = [];

    /// <summary>Whether a connection to one of <see cref="Brokers"/> is used for one dial after the other; default true.</summary>
    public bool Keep { get; set; } = true;

    /// <summary>This program's certificate, key and CA toward the brokers.</summary>
    public WhipTlsOptions Tls { get; set; } = new();

    /// <summary>The HTTP proxy through which <see cref="Brokers"/> are reached; default as the environment says.</summary>
    public WhipViaOptions Via { get; set; } = new();

    /// <summary>What dials instead of <see cref="Brokers"/>: the broker that lives in the same process, usually. Not disposed by the proxy.</summary>
    public IWhipDialer? Dialer { get; set; }

    /// <summary>Default 8008; 0 is any free one. Without a <see cref="Password"/> the proxy listens on 127.0.0.1 only, else on all interfaces.</summary>
    public int ListenPort { get; set; } = 8008;

    /// <summary>
    /// Where every request goes, an <c>http</c> or <c>https</c> URL; its path is put before the request's. Null: each request
    /// names its host, as to any forward proxy.
    /// </summary>
    public Uri? Target { get; set; }

    /// <summary>The CAs of an https <see cref="Target"/>, a PEM file; null: those of the system.</summary>
    public string? TargetCaCertPath { get; set; }

    /// <summary>
    /// Names, each <c>HOST</c> or <c>HOST:PORT</c>, under which a proxy with a <see cref="Target"/> and without a <see cref="Password"/> is asked
    /// besides its own address. Requests that name another host, or come from the page of another, are refused with 403.
    /// </summary>
    public IList<string> ProxyHosts { get; set; } = [];

    /// <summary>Connect directly to hosts whose domain no broker knows, if they are public addresses or in <see cref="FallbackAllow"/>.</summary>
    public bool Fallback { get; set; }

    /// <summary>Addresses that <see cref="Fallback"/> may reach although they are not public.</summary>
    public IList<IPNetwork> FallbackAllow { get; set; } = [];

    /// <summary>The name of a request header whose value is taken as the request's id; null: each request gets a random one.</summary>
    public string? DownstreamRequestIdHeader { get; set; }

    /// <summary>The user name of Basic authentication; default <c>whipproxy</c>.</summary>
    public string Username { get; set; } = "whipproxy";

    /// <summary>The password of Basic authentication; null or empty: no password is required.</summary>
    public string? Password { get; set; }

    /// <summary>PEM files; clients then speak TLS to the proxy. Both or neither.</summary>
    public string? ServerCertPath { get; set; }

    /// <inheritdoc cref="ServerCertPath"/>
    public string? ServerKeyPath { get; set; }

    /// <summary>
    /// How long a client may send nothing inside the body of its request, before the answer has begun; then 408. Default 5 minutes: an upload
    /// waits for the disk or the network of its client for no longer.
    /// </summary>
    public TimeSpan RequestBodyTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long an upstream may take nothing of a request, and how long after the request or an interim answer it may be silent; then 504.
    /// Default 15 minutes: the longest common long poll, a blocking query of Consul, answers within 11.
    /// </summary>
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// How long an upstream may send nothing inside the body of its answer, which is then cut off. Default 1 hour, as for a half-closed relay.
    /// </summary>
    public TimeSpan AnswerIdleTimeout { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long requests and tunnels may continue after a stop was asked for; default 30 seconds. Then they are reset.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Every bound.</summary>
    public WhipLimits Limits { get; } = new();

    void ICheckedOptions.Check() => Check();

    /// <exception cref="WhipOptionException">The first option that cannot work.</exception>
    internal void Check()
    {
        OptionText.Require(Dialer is null || Brokers.Count == 0, nameof(Brokers), Brokers.FirstOrDefault(), "does not go with {Dialer}", "one of the two");
        if (Brokers.Count > 0)
        {
            WayOut.Of(Via);
        }
        else
        {
            const string NeedsBrokers = "has a meaning with {Brokers} only";
            OptionText.Require(Via.Proxy is null, "Via.Proxy", null, NeedsBrokers, "{Brokers} HOST:8010");
            OptionText.Require(Via.PasswordPath is null, "Via.PasswordPath", Via.PasswordPath, NeedsBrokers, "{Brokers} HOST:8010");
        }

        OptionText.Number(nameof(ListenPort), $"{ListenPort}", 0, 65535);
        OptionText.Require(Target is null || IsTarget(Target), nameof(Target), Target?.OriginalString, "not an http or https URL", "http://host.domain:port");
        OptionText.Require(
            TargetCaCertPath is null || Target?.Scheme == Uri.UriSchemeHttps,
            nameof(TargetCaCertPath), TargetCaCertPath, "has a meaning with an https {Target} only", "{Target} https://host.domain");
        if (TargetCaCertPath is not null)
        {
            OptionText.File(nameof(TargetCaCertPath), TargetCaCertPath);
        }

        foreach (var name in ProxyHosts)
        {
            OptionText.Require(HostName.Parse(name) is not null, nameof(ProxyHosts), name, "neither HOST nor HOST:PORT", "service.example.com");
        }

        OptionText.Require(
            Target is not null || ProxyHosts.Count == 0, nameof(ProxyHosts), ProxyHosts.FirstOrDefault(), "has a meaning with {Target} only", "{Target} URL");
        var isToken = DownstreamRequestIdHeader is null or { Length: > 0 } && !DownstreamRequestIdHeader.AsSpan().ContainsAnyExcept(HeadText.TokenCharacters);
        OptionText.Require(isToken, nameof(DownstreamRequestIdHeader), DownstreamRequestIdHeader, "not a header's name", "X-Request-Id");
        OptionText.Require(
            Username.Length > 0 && !Username.Contains(':'),
            nameof(Username), Username, "empty, or with a colon, which Basic authentication cannot carry", "another name");
        OptionText.Require(
            ServerCertPath is not null || ServerKeyPath is null, nameof(ServerCertPath), null, "is needed with {ServerKeyPath}", "both or neither");
        if (ServerCertPath is not null)
        {
            OptionText.File(nameof(ServerCertPath), ServerCertPath);
        }

        OptionText.Positive(nameof(RequestBodyTimeout), RequestBodyTimeout);
        OptionText.Positive(nameof(AnswerTimeout), AnswerTimeout);
        OptionText.Positive(nameof(AnswerIdleTimeout), AnswerIdleTimeout);
        OptionText.Duration(nameof(DrainTimeout), DrainTimeout);
        Limits.Check();
    }

    internal static bool IsTarget(Uri url) => url is { IsAbsoluteUri: true, Scheme: "http" or "https", Host.Length: > 0, UserInfo: "", Fragment: "" };
}
