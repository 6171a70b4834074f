using Whip.Protocol.Dialing;
using Whip.Protocol.Names;

namespace Whip.Proxy.Http;

/// <summary>
/// Where one request goes. Everything is read from the same text, so the name that is dialled, the upstream's Host field and the log cannot
/// differ.
/// </summary>
/// <param name="Dial">A name, or an address, and a port of 1 to 65535.</param>
/// <param name="IsTls">The upstream speaks TLS: a single target with an https URL.</param>
/// <param name="HostHeader">What the upstream reads in Host.</param>
/// <param name="Path">The path and query as the client wrote them.</param>
internal sealed record ForwardTarget(DialRequest Dial, bool IsTls, string HostHeader, string Path)
{
    private const string Http = "http://";

    /// <summary>For logs.</summary>
    public string Name => HostPort.Format(Dial.Host, Dial.Port);

    /// <summary>Whether one connection serves requests of both.</summary>
    public bool HasUpstreamOf(ForwardTarget other) => (Dial, IsTls) == (other.Dial, other.IsTls);

    /// <summary>Reads the request's target; <paramref name="single"/> replaces its host. A problem is one line for the client.</summary>
    public static ForwardTarget? Parse(ClientRequest request, Uri? single, out string problem)
    {
        var raw = request.Target;
        var isHttp = raw.StartsWith(Http, StringComparison.OrdinalIgnoreCase);
        problem = raw.Contains('#') ? "a fragment is not for servers"
            : isHttp ? ""
            : raw.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? "https goes through this proxy by CONNECT"
            : raw == "*" && single is not null && request.Method == "OPTIONS" ? ""
            : raw[0] != '/' ? "only http URLs and CONNECT are served here"
            : single is null ? "this is a proxy: the request target must be a whole URL, such as http://host.domain:port/path"
            : "";
        if (problem.Length > 0)
        {
            return null;
        }

        var authority = isHttp ? Authority(raw) : "";
        var path = isHttp ? raw[(Http.Length + authority.Length)..] : raw;
        path = path is "" ? (request.Method == "OPTIONS" ? "*" : "/") : path[0] == '?' ? "/" + path : path;
        return single is null ? ForAuthority(authority, path, out problem) : ForSingle(single, isHttp ? authority : request.Host, path);
    }

    private static string Authority(string raw)
    {
        var end = raw.AsSpan(Http.Length).IndexOfAny('/', '?');
        return end < 0 ? raw[Http.Length..] : raw.Substring(Http.Length, end);
    }

    private static ForwardTarget? ForAuthority(string authority, string path, out string problem)
    {
        var isRead = HostPort.TryParse(authority, out var upstream) || HostPort.TryParse(authority.TrimEnd(':') + ":80", out upstream);
        problem = authority.Contains('@') ? "a URL with a user name is not served"
            : !isRead ? "the URL's host and port cannot be read"
            : "";
        var dial = new DialRequest(upstream.Host, upstream.Port);
        return problem.Length > 0 ? null : new ForwardTarget(dial, false, HostHeaderFor(dial.Host, dial.Port, 80), path);
    }

    private static ForwardTarget ForSingle(Uri single, string? given, string path)
    {
        var isTls = single.Scheme == Uri.UriSchemeHttps;
        var host = single.Host.Trim('[', ']');
        var hostHeader = string.IsNullOrEmpty(given) ? HostHeaderFor(host, single.Port, isTls ? 443 : 80) : given;
        if (path == "*")
        {
            return new ForwardTarget(new DialRequest(host, single.Port), isTls, hostHeader, path);
        }

        var query = single.Query.Length > 1 ? single.Query + (path.Contains('?') ? "&" : "") : "";
        var parts = path.Split('?', 2);
        var joined = single.AbsolutePath.TrimEnd('/') + parts[0];
        joined += parts.Length == 1 ? query : (query is "" ? "?" : query) + parts[1];
        return new ForwardTarget(new DialRequest(host, single.Port), isTls, hostHeader, joined);
    }

    private static string HostHeaderFor(string host, int port, int defaultPort)
    {
        var withPort = HostPort.Format(host, port);
        return port == defaultPort ? withPort[..withPort.LastIndexOf(':')] : withPort;
    }
}
