using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Names;
using Whip.Proxy.Http;

namespace Whip.Proxy.Clients;

/// <summary>An answer of the proxy itself: a status and, unless it has another content, one line that says why.</summary>
internal sealed record ProxyReply(int Status, string Reason)
{
    /// <summary>The connection stays open, so that the client can send the request again with its password.</summary>
    public static readonly ProxyReply AuthenticationRequired = new(407, "proxy authentication is required");

    public string ContentType { get; private init; } = "text/plain";

    public byte[]? Content { get; private init; }

    public bool AsksForCredentials => Status == 407;

    /// <summary>The answer for a dial that failed: the dial front's status, or 502 for an outcome that only brokers send each other.</summary>
    public static ProxyReply For(DialResult failed) =>
        new(failed.Outcome == DialOutcome.NotHolder ? 502 : DialStatus.ToStatus(failed.Outcome), failed.Reason);

    /// <summary>The answer to a TRACE or an OPTIONS that goes no further.</summary>
    public static ProxyReply ForLast(ClientRequest request) => new(200, "answered here, as its Max-Forwards says")
    {
        ContentType = "message/http",
        Content = request.Method == "TRACE" ? request.ToTrace() : [],
    };

    /// <param name="requestId">Returned to the client.</param>
    /// <param name="hasBody">False for the answer to a HEAD.</param>
    /// <param name="keepsAlive">The connection is open for another request.</param>
    public byte[] ToBytes(string requestId, bool hasBody = true, bool keepsAlive = false)
    {
        var body = Content ?? Encoding.ASCII.GetBytes($"whip-proxy: {Printable.Clean(Reason, 1024)}\n");
        var head = new HeadBuilder()
            .Line($"HTTP/1.1 {Status} {ReasonPhrases.GetReasonPhrase(Status)}")
            .Field(RequestId.Header, requestId)
            .Field("Content-Length", $"{body.Length}");
        if (body.Length > 0)
        {
            head.Field("Content-Type", ContentType);
        }

        if (AsksForCredentials)
        {
            head.Field("Proxy-Authenticate", ProxyAuthorization.Challenge);
        }

        if (Status == 503)
        {
            head.Field("Retry-After", "1");
        }

        if (!keepsAlive)
        {
            head.Field("Connection", "close");
        }

        return hasBody ? [.. head.ToBytes(), .. body] : head.ToBytes();
    }
}
