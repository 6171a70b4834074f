using Microsoft.Extensions.Logging;
using Whip.Broker.DialFront;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Proxy.Clients;
using Whip.Proxy.Http;

namespace Whip.Proxy.Requests;

/// <summary>Serves CONNECT: dials the name and relays between the two streams.</summary>
internal sealed class TunnelFront(IWhipDialer dialer, WhipProxyOptions options, RelayContext relays, ProxyMetrics metrics, ILogger logger)
{
    /// <summary>Returns whether the connection is open for another request, which it is only after a refused password.</summary>
    public async Task<bool> ServeAsync(ProxyClient client, ClientRequest request, string requestId, CancellationToken cut)
    {
        if (options.Target is not null)
        {
            return await RefuseAsync(client, request, requestId, "nowhere", new ProxyReply(403, "this proxy serves one target: CONNECT is not for it"));
        }

        if (!HostPort.TryParse(request.Target, out var upstream))
        {
            return await RefuseAsync(client, request, requestId, "nowhere", new ProxyReply(400, "the target of a CONNECT is host:port"));
        }

        await client.Upstream.EndAsync();

        // From here on the leg is read directly, no longer through HTTP's buffer.
        client.Leg.Unread(client.Http.TakeUnread());
        var dialled = await DialAsync(client, new DialRequest(upstream.Host, upstream.Port) { Deadline = options.Limits.DialDeadline }, cut);
        metrics.Connect(dialled.Outcome);
        if (!dialled.IsConnected)
        {
            return await RefuseAsync(client, request, requestId, $"{upstream}", ProxyReply.For(dialled));
        }

        await RelayAsync(client, request, requestId, dialled.Stream, cut);
        return false;
    }

    private async Task<bool> RefuseAsync(ProxyClient client, ClientRequest request, string requestId, string target, ProxyReply reply)
    {
        ProxyLog.Failed(logger, requestId, client.EndPoint, request.Method, target, reply.Status, reply.Reason);
        return await client.AnswerAsync(reply, requestId, request);
    }

    private async Task<DialResult> DialAsync(ProxyClient client, DialRequest request, CancellationToken cut)
    {
        await using var watch = new DialerWatch(client.Leg);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cut, watch.Gone);
        watch.Start();
        var result = await dialer.TryDialAsync(request, ended.Token);
        await watch.StopAsync();
        return result;
    }

    private async Task RelayAsync(ProxyClient client, ClientRequest request, string requestId, WhipStream upstream, CancellationToken cut)
    {
        try
        {
            var head = new HeadBuilder().Line("HTTP/1.1 200 Connection established").Field(RequestId.Header, requestId).ToBytes();
            await client.Leg.WriteAsync(head, cut);
        }
        catch
        {
            upstream.Abort();
            throw;
        }

        ProxyLog.TunnelOpened(logger, requestId, client.EndPoint, request.Target);
        var result = await Relay.RunAsync(client.Leg, upstream, relays, cut);
        ProxyLog.TunnelEnded(logger, requestId, result.End, result.BytesAToB, result.BytesBToA, result.Detail);
    }
}
