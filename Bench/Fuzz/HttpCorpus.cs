using System.Text;

namespace Whip.Bench.Fuzz;

/// <summary>What dialers, clients of the proxy, services and visitors of the pages send when they are honest.</summary>
/// <param name="name">The agent's, <c>hostname.domain</c>.</param>
/// <param name="port">The service's, which the agent publishes.</param>
internal sealed class HttpCorpus(string name, int port)
{
    private readonly string _url = $"http://{name}:{port}";
    private readonly string _host = $"Host: {name}:{port}\r\n";

    /// <summary>What the agent publishes.</summary>
    public string Target { get; } = $"{name}:{port}";

    public IReadOnlyList<byte[]> Connects { get; } = Bytes(
        $"CONNECT {name}:{port} HTTP/1.1\r\nHost: {name}:{port}\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        $"CONNECT {Certificates.Domain}:{port} HTTP/1.1\r\nWhip-Deadline: 2000\r\nWhip-Progress: accept\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        $"CONNECT {name}:{port} HTTP/1.0\r\nWhip-Redirect: accept\r\nWhip-Redirected: 1\r\nUser-Agent: x\r\n\r\n",
        $"CONNECT {name}:1 HTTP/1.1\r\nHost: {name}\r\nContent-Length: 0\r\n\r\n",
        $"CONNECT nobody.{Certificates.Domain}:{port} HTTP/1.1\r\nWhip-Wait: 1\r\nWhip-Progress: accept\r\n\r\n",
        $"CONNECT {name}:{port} HTTP/1.1\r\nWhip-Forwarded: broker2\r\nWhip-Dialer: a.dialers,b%2Cc\r\nWhip-Zone: z\r\n\r\n",
        $"CONNECT {name}:{port} HTTP/1.1\r\nWhip-Forwarded: broker2\r\nWhip-Dialer-Address: 192.0.2.1:4711 [::1]:8010\r\n\r\n",
        "CONNECT [::1]:80 HTTP/1.1\r\nProxy-Connection: keep-alive\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n");

    public IReadOnlyList<byte[]> Preambles { get; } = Bytes(
        """{"connectionID":"0123456789abcdef0123456789abcdef"}SSH-2.0-x""" + "\r\n",
        """{ "connection_iD" : "01234567-89ab-cdef-0123-456789abcdef" }GET / HTTP/1.1""" + "\r\n\r\n",
        """{"other":{"a":[1,2,{"b":"}"}]},"connectionID":"\u0061\"b\\"}""",
        "CONNECT x.testdom:80 HTTP/1.1\r\n\r\n");

    public IReadOnlyList<byte[]> Requests => field ??= Bytes(
        $"GET {_url}/ HTTP/1.1\r\n{_host}Accept: */*\r\n\r\n",
        $"GET {_url}/a HTTP/1.1\r\n{_host}\r\nHEAD {_url}/b?c=d HTTP/1.1\r\n{_host}Connection: close\r\n\r\n",
        $"POST {_url}/ HTTP/1.1\r\n{_host}Content-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello",
        $"POST {_url}/ HTTP/1.1\r\n{_host}Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5\r\nhello\r\n6;x=\"y\"\r\n world\r\n0\r\nX: y\r\n\r\n",
        $"PUT {_url}/ HTTP/1.1\r\n{_host}Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
        $"GET {_url}/chat HTTP/1.1\r\n{_host}Connection: Upgrade, X-Y\r\nX-Y: z\r\nUpgrade: tcp\r\n\r\nhello",
        $"OPTIONS {_url} HTTP/1.1\r\n{_host}Max-Forwards: 0\r\n\r\nTRACE {_url}/ HTTP/1.1\r\n{_host}Max-Forwards: 3\r\nCookie: a=b\r\n\r\n",
        $"GET {_url}/ HTTP/1.0\r\nProxy-Authorization: Basic d2hpcHByb3h5Og==\r\nX-Forwarded-For: 10.0.0.1\r\nVia: 1.1 x\r\n\r\n",
        $"CONNECT {Target} HTTP/1.1\r\n{_host}\r\nGET / HTTP/1.1\r\n\r\n",
        $"GET http://nobody.{Certificates.Domain}/ HTTP/1.1\r\nHost: nobody.{Certificates.Domain}\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");

    /// <summary>To a proxy whose broker answers as it likes.</summary>
    public static IReadOnlyList<byte[]> DialsFor(int number) => Bytes(
        $"GET http://n{number}.x:80/ HTTP/1.1\r\nHost: n{number}.x:80\r\n\r\n",
        $"CONNECT n{number}.x:80 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        $"POST http://n{number}.x:80/ HTTP/1.1\r\nHost: n{number}.x:80\r\nContent-Length: 2\r\n\r\nhi");

    /// <summary>To a service that answers as it likes. The number tells it which answer is due.</summary>
    public IReadOnlyList<byte[]> RequestsFor(int number) => Bytes(
        $"GET {_url}/{number} HTTP/1.1\r\n{_host}\r\n",
        $"GET {_url}/{number} HTTP/1.1\r\n{_host}\r\nGET {_url}/{number} HTTP/1.1\r\n{_host}\r\n",
        $"HEAD {_url}/{number} HTTP/1.1\r\n{_host}\r\n",
        $"GET {_url}/{number} HTTP/1.0\r\n{_host}\r\n",
        $"GET {_url}/{number} HTTP/1.1\r\n{_host}Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
        $"POST {_url}/{number} HTTP/1.1\r\n{_host}Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");

    public static IReadOnlyList<byte[]> Answers { get; } = Bytes(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5\r\nhello\r\n6;x=\"y\"\r\n world\r\n0\r\nX: y\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\nServer: x\r\n\r\nuntil the end",
        "HTTP/1.1 204 No Content\r\nConnection: close, X-Y\r\nX-Y: z\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 100\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /\r\nSet-Cookie: a=b; Path=/\r\nSet-Cookie: c=d\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\nX-A : 1\r\n\r\nhello");

    /// <summary>To the pages of the broker; the host is that of the listener.</summary>
    public static IReadOnlyList<byte[]> PageRequests(string host) => Bytes(
        $"GET /metrics HTTP/1.1\r\nHost: {host}\r\nAccept: text/plain;version=0.0.4\r\nAccept-Encoding: gzip\r\n\r\n",
        $"GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\nHEAD /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
        $"GET /api/status HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nAuthorization: Bearer 0123456789abcdef\r\n\r\n",
        $"GET /api/clients?domain=testdom&limit=10 HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic eDp5\r\n\r\n",
        $"GET /api/explain?name=instance1.testdom&port=80&dialer=a.dialers&dialer=%2a HTTP/1.1\r\nHost: {host}\r\n\r\n",
        $"POST /api/status HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n5\r\nhello\r\n0\r\n\r\n");

    private static byte[][] Bytes(params string[] texts) => [.. texts.Select(text => Encoding.Latin1.GetBytes(text))];
}
