using System.IO.Pipelines;
using Whip.Proxy.Http;

namespace Whip.Proxy.Upstream;

/// <summary>One dialled stream; one exchange at a time.</summary>
internal sealed class UpstreamConnection(HttpStream http, long openedAt)
{
    public HttpStream Http => http;

    public long OpenedAt => openedAt;

    public long IdleSince { get; private set; }

    /// <summary>It has carried an exchange before: the upstream may end it just when the next one begins.</summary>
    public bool IsReused { get; private set; }

    /// <summary>From now on it reads: only an upstream that ends it, or speaks out of turn, completes that.</summary>
    public Task<ReadResult> BecomeIdle(long now)
    {
        IdleSince = now;
        IsReused = true;
        return http.ReadAhead();
    }
}
