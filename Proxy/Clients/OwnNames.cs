using System.Net;
using Whip.Protocol.Names;
using Whip.Proxy.Http;

namespace Whip.Proxy.Clients;

/// <summary>
/// Under which names a proxy with one target and no password answers. A page of any site can send requests to 127.0.0.1 from its visitor's
/// browser: under the proxy's own name, which the browser marks as coming from another site, or under the page's, once that name resolves to
/// 127.0.0.1 (DNS rebinding).
/// </summary>
/// <param name="further">Besides the address of the proxy itself.</param>
/// <param name="defaultPort">Of a name without a port.</param>
internal sealed class OwnNames(IEnumerable<HostName> further, int defaultPort)
{
    private const string Flag = "the names of --proxy-host";

    private readonly HostName[] _further = [.. further];

    /// <summary>Null if the request may be served; else why not, in one line for the client.</summary>
    public string? Refuse(ClientRequest request, IPEndPoint own) =>
        request.Authority is { } host ? Covers(host, own) ? RefuseOrigin(request, own) : $"this proxy answers for its own address and {Flag} only"
        : request.IsHttp10 ? RefuseOrigin(request, own)
        : "the request names no host";

    // A browser sends no Origin with a link that is followed, and none with an image; the second is not let through.
    private string? RefuseOrigin(ClientRequest request, IPEndPoint own) =>
        request["Origin"].All(origin => IsOwn(origin, own)) && (request["Sec-Fetch-Site"] is not ["cross-site"] || request["Sec-Fetch-Mode"] is ["navigate"])
            ? null
            : $"the request comes from a page of another site; {Flag} are sites that may send some";

    private bool IsOwn(string? origin, IPEndPoint own) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var url) && Covers(HostPort.Format(url.IdnHost, url.Port), own);

    private bool Covers(string authority, IPEndPoint own)
    {
        if (HostName.Parse(authority) is not { } given)
        {
            return false;
        }

        var port = given.Port ?? defaultPort;
        return (port == own.Port && (given.Host == "localhost" || given.Host == own.Address.ToString()))
            || _further.Any(name => name.Host == given.Host && (name.Port is null || name.Port == port));
    }
}

/// <summary>A name or an address, and a port if one is written.</summary>
internal readonly record struct HostName(string Host, int? Port)
{
    /// <summary>Null if it is neither HOST nor HOST:PORT.</summary>
    public static HostName? Parse(string text) =>
        HostPort.TryParse(text, out var address) ? new HostName(address.Host, address.Port)
        : HostPort.TryParse(text + ":1", out var host) ? new HostName(host.Host, null)
        : null;
}
