using System.Net;
using Microsoft.AspNetCore.Http;

namespace Whip.Broker.Admin;

/// <summary>
/// Decides which requests the admin listener answers. The Host header must name this listener, so that a web page cannot reach it
/// through a DNS name of its own that resolves to this address.
/// </summary>
internal sealed class AdminAccess
{
    private const int DefaultPort = 80;

    private readonly AdminToken? _token;
    private readonly IReadOnlyList<HostString> _hosts;

    /// <exception cref="WhipOptionException">A host is not valid.</exception>
    public AdminAccess(AdminToken? token, IEnumerable<string> hosts)
    {
        _token = token;
        _hosts = [.. hosts.Select(ReadHost)];
    }

    /// <returns>The status and the reason of a refusal; null if the request is allowed.</returns>
    public (int Status, string Problem)? Refuse(HttpContext context)
    {
        var request = context.Request;

        // Not the decoded one of the request: who decodes a name that cannot be decoded fails.
        var host = new HostString(request.Headers.Host.ToString());
        if (!IsOurs(host, context.Connection))
        {
            return (StatusCodes.Status421MisdirectedRequest,
                $"the admin listener is not known as \"{Printable.Clean(host.Value)}\"; try the address it is bound to, or --admin-host at the broker");
        }

        if (request.Headers.Origin is { Count: > 0 } origin && !IsOurs(origin.ToString(), context.Connection))
        {
            return (StatusCodes.Status403Forbidden, "requests from pages of other origins are refused");
        }

        return _token?.Accepts(request.Headers.Authorization) == false
            ? (StatusCodes.Status401Unauthorized, "this broker requires its admin token; try --admin-token-path FILE or the header Authorization: Bearer TOKEN")
            : null;
    }

    private static HostString ReadHost(string text)
    {
        var host = new HostString(text);
        var isHost = Uri.CheckHostName(host.Host) != UriHostNameType.Unknown
            && Uri.TryCreate($"http://{text}", UriKind.Absolute, out var uri) && uri.PathAndQuery == "/";
        return isHost
            ? new HostString(host.ToUriComponent())
            : throw new WhipOptionException(nameof(WhipBrokerOptions.AdminHosts), text, "not a host", "broker1.example.com or broker1.example.com:8081");
    }

    private bool IsOurs(string origin, ConnectionInfo connection) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri is { Scheme: "http" or "https", Port: > 0 }
        && IsOurs(new HostString(uri.Host, uri.Port), connection);

    private bool IsOurs(HostString host, ConnectionInfo connection) =>
        IsBound(host, connection)
        || _hosts.Any(known => string.Equals(known.Host, host.Host, StringComparison.OrdinalIgnoreCase)
            && (known.Port is null || known.Port == (host.Port ?? DefaultPort)));

    /// <summary>Whether the host is the address that the connection was made to. The loopback interface has several names.</summary>
    private static bool IsBound(HostString host, ConnectionInfo connection)
    {
        if (connection.LocalIpAddress is not { } local || (host.Port ?? DefaultPort) != connection.LocalPort)
        {
            return false;
        }

        local = local.IsIPv4MappedToIPv6 ? local.MapToIPv4() : local;
        return IPAddress.TryParse(host.Host, out var named)
            ? named.Equals(local) || (IPAddress.IsLoopback(named) && IPAddress.IsLoopback(local))
            : IPAddress.IsLoopback(local) && string.Equals(host.Host, "localhost", StringComparison.OrdinalIgnoreCase);
    }
}
