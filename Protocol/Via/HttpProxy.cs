using System.Diagnostics.CodeAnalysis;
using System.Text;
using Whip.Protocol.Names;

namespace Whip.Protocol.Via;

/// <summary>An HTTP proxy through which brokers are reached, with what it is told of the user. Its text has neither user nor password.</summary>
internal sealed record HttpProxy
{
    /// <summary>Of a URL that names no port; curl has it so.</summary>
    private const int DefaultPort = 1080;

    private const string Scheme = "http://";

    private string? _user;
    private string? _password;

    private HttpProxy(HostPort address) => Address = address;

    public HostPort Address { get; }

    /// <summary>It is told who asks.</summary>
    public bool HasUser => _user is not null;

    public bool HasPassword => _password is not null;

    /// <summary>Reads <c>http://[user[:password]@]host[:port]</c>, whose scheme may be missing.</summary>
    /// <param name="url">Of the user; it may hold a password.</param>
    /// <param name="proxy">What it says.</param>
    /// <param name="problem">What is wrong with it. It quotes nothing.</param>
    public static bool TryParse(string url, [NotNullWhen(true)] out HttpProxy? proxy, [NotNullWhen(false)] out string? problem)
    {
        proxy = null;
        var scheme = url.IndexOf("://", StringComparison.Ordinal);
        if (scheme >= 0 && !url.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            problem = "is not the URL of an HTTP proxy that is spoken to without TLS: only http:// is supported";
            return false;
        }

        var authority = (scheme < 0 ? url : url[Scheme.Length..]).TrimEnd('/');
        var at = authority.LastIndexOf('@');
        var host = authority[(at + 1)..];
        if (!HostPort.TryParse(host, out var address) && !HostPort.TryParse($"{host}:{DefaultPort}", out address))
        {
            problem = "is not http://host:port";
            return false;
        }

        proxy = new HttpProxy(address);
        var colon = at < 0 ? -1 : authority.IndexOf(':', 0, at);
        if (at >= 0)
        {
            proxy._user = Uri.UnescapeDataString(authority[..(colon < 0 ? at : colon)]);
            proxy._password = colon < 0 ? null : Uri.UnescapeDataString(authority[(colon + 1)..at]);
        }

        // Basic authentication ends the user at the first colon.
        problem = proxy._user?.Contains(':') == true ? "has a user with a colon, which Basic authentication cannot carry" : null;
        return problem is null;
    }

    public HttpProxy WithPassword(string password) => this with { _password = password };

    /// <summary>The request for a tunnel.</summary>
    public byte[] ConnectHead(HostPort to)
    {
        var authorization = HasUser
            ? $"Proxy-Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_user}:{_password}"))}\r\n"
            : "";
        return Encoding.ASCII.GetBytes($"CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{authorization}\r\n");
    }

    public override string ToString() => $"{Scheme}{Address}";
}
