using Microsoft.Extensions.Logging;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Proxy.Clients;
using Whip.Proxy.Http;

namespace Whip.Proxy.Requests;

/// <summary>Serves every request but CONNECT: forwards it, or answers it when no upstream can be reached.</summary>
internal sealed class ForwardFront(WhipProxyOptions options, RelayContext relays, ProxyMetrics metrics, TimeProvider time, ILogger logger)
{
    // With a password a page of another site is not served anyway: a browser sends it to no site that asks as a proxy does.
    private readonly OwnNames? _names = options is { Target: not null, Password: null or "" }
        ? new OwnNames(options.ProxyHosts.Select(name => HostName.Parse(name)!.Value), options.ServerCertPath is null ? 80 : 443)
        : null;

    /// <summary>Returns whether the connection is open for another request.</summary>
    public async Task<bool> ServeAsync(ProxyClient client, ClientRequest request, string requestId, CancellationToken cut)
    {
        if (_names?.Refuse(request, client.Leg.LocalEndPoint) is { } refused)
        {
            return await AnswerAsync(client, request, requestId, "nowhere", new ProxyReply(403, refused));
        }

        if (request.MaxForwards == 0)
        {
            var last = ProxyReply.ForLast(request);
            metrics.Answered(last.Status);
            ProxyLog.Answered(logger, requestId, client.EndPoint, request.Method, "nowhere", last.Status);
            return await client.AnswerAsync(last, requestId, request);
        }

        var target = ForwardTarget.Parse(request, options.Target, out var problem);
        if (target is null)
        {
            return await AnswerAsync(client, request, requestId, "nowhere", new ProxyReply(400, problem));
        }

        if (!client.Upstream.TryReuse(target) && await DialAsync(client, target, cut) is { } failed)
        {
            return await AnswerAsync(client, request, requestId, target.Name, ProxyReply.For(failed));
        }

        var exchange = new Exchange(client, request, options, Answered, relays, time);
        var reply = await exchange.RunAsync(target, requestId, cut);
        await client.Upstream.ReleaseAsync(keep: exchange is { KeepsClient: true, KeepsUpstream: true });
        return reply is not null
            ? await AnswerAsync(client, request, requestId, target.Name, reply)
            : await EndAsync(client, requestId, exchange);

        void Answered(int status)
        {
            metrics.Answered(status);
            ProxyLog.Answered(logger, requestId, client.EndPoint, request.Method, target.Name, status);
        }
    }

    private static async Task<DialResult?> DialAsync(ProxyClient client, ForwardTarget target, CancellationToken cut)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(cut);
        using var dialled = new CancellationTokenSource();
        var watch = client.WatchAsync(gone.Cancel, dialled.Token);
        try
        {
            return await client.Upstream.DialAsync(target, gone.Token);
        }
        finally
        {
            await dialled.CancelAsync();
            await watch;
        }
    }

    private async Task<bool> EndAsync(ProxyClient client, string requestId, Exchange exchange)
    {
        if (!exchange.IsComplete)
        {
            ProxyLog.BrokeOff(logger, requestId, client.EndPoint);
        }

        if (exchange.IsUnanswered)
        {
            metrics.Failed();
        }
        else if (!exchange.IsComplete)
        {
            // After a clean end the client could mistake the part it has for the whole answer.
            client.Leg.Abort();
        }

        if (!exchange.KeepsClient)
        {
            await client.EndAsync();
        }

        return exchange.KeepsClient;
    }

    private async Task<bool> AnswerAsync(ProxyClient client, ClientRequest request, string requestId, string target, ProxyReply reply)
    {
        metrics.Failed();
        ProxyLog.Failed(logger, requestId, client.EndPoint, request.Method, target, reply.Status, reply.Reason);
        return await client.AnswerAsync(reply, requestId, request);
    }
}
