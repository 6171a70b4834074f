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
        var authority = AuthorityOf(raw);
        problem = raw.Contains('#') ? "a fragment is not for servers"
            : authority is not null ? ""
            : raw.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? "https goes through this proxy by CONNECT"
            : raw == "*" && single is not null && request.Method == "OPTIONS" ? ""
            : raw[0] != '/' ? "only http URLs and CONNECT are served here"
            : single is null ? "this is a proxy: the request target must be a whole URL, such as http://host.domain:port/path"
            : "";
        if (problem.Length > 0)
        {
            return null;
        }

        var path = authority is null ? raw : raw[(Http.Length + authority.Length)..];
        path = path is "" ? (request.Method == "OPTIONS" ? "*" : "/") : path[0] == '?' ? "/" + path : path;
        return single is null ? ForAuthority(authority!, path, out problem) : ForSingle(single, request.Authority, path, out problem);
    }

    /// <summary>The host, and its port if there is one, of an http URL; null if it is none.</summary>
    public static string? AuthorityOf(string raw)
    {
        if (!raw.StartsWith(Http, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

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

    private static ForwardTarget? ForSingle(Uri single, string? given, string path, out string problem)
    {
        problem = "";
        var isTls = single.Scheme == Uri.UriSchemeHttps;
        var host = single.Host.Trim('[', ']');
        var hostHeader = string.IsNullOrEmpty(given) ? HostHeaderFor(host, single.Port, isTls ? 443 : 80) : given;
        if (path == "*")
        {
            return new ForwardTarget(new DialRequest(host, single.Port), isTls, hostHeader, path);
        }

        var query = single.Query.Length > 1 ? single.Query + (path.Contains('?') ? "&" : "") : "";
        var parts = path.Split('?', 2);
        if (single.AbsolutePath.Length > 1 && LeavesItsRoot(parts[0]))
        {
            problem = "the path leads out of the target's by its ..";
            return null;
        }

        var joined = single.AbsolutePath.TrimEnd('/') + parts[0];
        joined += parts.Length == 1 ? query : (query is "" ? "?" : query) + parts[1];
        return new ForwardTarget(new DialRequest(host, single.Port), isTls, hostHeader, joined);
    }

    // However the upstream reads it: with the path decoded as it is, once, twice and so on, with \ as / or not, with parameters behind a ;.
    private static bool LeavesItsRoot(string path)
    {
        for (var (level, decoded) = (path, ""); level != decoded; (level, decoded) = (Uri.UnescapeDataString(level), level))
        {
            if (LeavesItsRoot(level.Split('/')) || LeavesItsRoot(level.Split('/', '\\')))
            {
                return true;
            }
        }

        return false;
    }

    private static bool LeavesItsRoot(string[] segments)
    {
        var depth = 0;
        foreach (var segment in segments.Select(Name).Where(name => name is not ("" or ".") && depth >= 0))
        {
            depth += segment == ".." ? -1 : 1;
        }

        return depth < 0;

        static string Name(string segment)
        {
            for (var (name, decoded) = (segment, ""); ; name = decoded)
            {
                decoded = Uri.UnescapeDataString(name);
                if (decoded == name)
                {
                    return name.Split(';')[0];
                }
            }
        }
    }

    private static string HostHeaderFor(string host, int port, int defaultPort)
    {
        var withPort = HostPort.Format(host, port);
        return port == defaultPort ? withPort[..withPort.LastIndexOf(':')] : withPort;
    }
}
