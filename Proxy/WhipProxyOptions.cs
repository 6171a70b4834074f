using System.Net;
using Whip.Hosting;
using Whip.Protocol.Dialing;
using Whip.Protocol.Tls;

namespace Whip.Proxy;

/// <summary>How a proxy is set up.</summary>
public sealed class WhipProxyOptions
{
    /// <summary>The brokers' dial fronts, each <c>HOST:PORT</c>. Not with <see cref="Dialer"/>.</summary>
    public IList<string> Brokers { get; set; } = [];

    /// <summary>This program's certificate, key and CA toward the brokers.</summary>
    public WhipTlsOptions Tls { get; set; } = new();

    /// <summary>What dials instead of <see cref="Brokers"/>: the broker that lives in the same process, usually. Not disposed by the proxy.</summary>
    public IWhipDialer? Dialer { get; set; }

    /// <summary>Default 8008; 0 is any free one. Without a <see cref="Password"/> the proxy listens on 127.0.0.1 only, else on all interfaces.</summary>
    public int ListenPort { get; set; } = 8008;

    /// <summary>
    /// Where every request goes, an <c>http</c> or <c>https</c> URL; its path is put before the request's. Null: each request
    /// names its host, as to any forward proxy.
    /// </summary>
    public Uri? Target { get; set; }

    /// <summary>Connect directly to hosts whose domain no broker knows, if they are public addresses or in <see cref="FallbackAllow"/>.</summary>
    public bool Fallback { get; set; }

    /// <summary>Addresses that <see cref="Fallback"/> may reach although they are not public.</summary>
    public IList<IPNetwork> FallbackAllow { get; set; } = [];

    /// <summary>The name of a request header whose value is taken as the request's id; null: each request gets a random one.</summary>
    public string? DownstreamRequestIdHeader { get; set; }

    /// <summary>The user name of Basic authentication; default <c>whipproxy</c>.</summary>
    public string Username { get; set; } = "whipproxy";

    /// <summary>The password of Basic authentication; null or empty: none is asked for.</summary>
    public string? Password { get; set; }

    /// <summary>PEM files; clients then speak TLS to the proxy. Both or neither.</summary>
    public string? ServerCertPath { get; set; }

    /// <inheritdoc cref="ServerCertPath"/>
    public string? ServerKeyPath { get; set; }

    /// <summary>How long requests and tunnels may go on after a stop was asked for; default 30 seconds. Then they are reset.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Every bound.</summary>
    public WhipLimits Limits { get; } = new();
}
