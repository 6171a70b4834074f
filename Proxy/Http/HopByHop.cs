using System.Collections.Frozen;
using Whip.Protocol.Connect;

namespace Whip.Proxy.Http;

/// <summary>The fields that are not passed on: those of one connection (RFC 9110 section 7.6.1), and those that the proxy writes itself.</summary>
internal sealed class HopByHop
{
    private static readonly FrozenSet<string> Always = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "Connection",
        "Content-Length",
        "HTTP2-Settings",
        "Keep-Alive",
        "Proxy-Authenticate",
        "Proxy-Authentication-Info",
        "Proxy-Authorization",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        RequestId.Header);

    private readonly HashSet<string> _named;

    /// <summary>The Connection fields name further fields of their connection.</summary>
    public HopByHop(HeadText head) => _named = new(head.Members("Connection"), StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether the Connection fields hold <paramref name="option"/>.</summary>
    public bool Names(string option) => _named.Contains(option);

    public bool Contains(string field) => Always.Contains(field) || _named.Contains(field);
}
