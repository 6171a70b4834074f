using Microsoft.Extensions.Logging;
using Whip.Hosting.Listening;
using Whip.Protocol;
using Whip.Protocol.Connect;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Options;
using Whip.Proxy.Clients;
using Whip.Proxy.Http;

namespace Whip.Proxy.Requests;

/// <summary>Serves each connection: the TLS handshake, then its requests one after the other, each with its password checked.</summary>
internal sealed class ClientFront(
    FrontCertificate? certificate, ProxyAuthorization authorization, Func<ClientUpstream> newUpstream, TunnelFront tunnels, ForwardFront forward,
    WhipProxyOptions options, PortKind port, TimeProvider time, ILogger logger, CancellationToken stopping)
{
    private const int TlsHandshakeRecord = 0x16;

    // Its name in logs.
    private const string Listener = "proxy";

    // As common servers allow.
    private const int MaxHead = 32 * 1024;

    private readonly LogRations _refusals = new(logger, time);

    /// <summary>A handler of <see cref="SocketListener"/>; <paramref name="cut"/> resets what is still open.</summary>
    public async Task ServeAsync(Leg leg, UnauthenticatedGate.Entry entry, CancellationToken cut)
    {
        await using var registration = cut.UnsafeRegister(static state => ((Leg)state!).Abort(), leg);
        await using var client = new ProxyClient(leg, entry, newUpstream(), time, stopping);
        try
        {
            if (await HandshakeAsync(client) && await IsClientAsync(client))
            {
                await ServeAsync(client, cut);
            }
        }
        catch (OperationCanceledException)
        {
            // No request came in time, or the proxy stops.
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or LegHandshakeException)
        {
            LogRefused(client, Printable.Clean(error.Message));
        }
    }

    private async Task ServeAsync(ProxyClient client, CancellationToken cut)
    {
        var open = true;
        while (open && await ReadRequestAsync(client) is { } request)
        {
            var requestId = RequestId.From(options.DownstreamRequestIdHeader is { } header ? request[header] : default);
            if (!authorization.Accepts(request["Proxy-Authorization"]))
            {
                if (_refusals.Take(Listener))
                {
                    ProxyLog.Refused(logger, requestId, client.EndPoint, request.Method, ProxyReply.AuthenticationRequired.Reason);
                }

                open = await client.AnswerAsync(ProxyReply.AuthenticationRequired, requestId, request);
                continue;
            }

            client.Authenticated();
            open = request.IsConnect
                ? await tunnels.ServeAsync(client, request, requestId, cut)
                : await forward.ServeAsync(client, request, requestId, cut);
        }
    }

    // Null: the client has ended, has been silent for too long, has been refused, has lost its upstream, or the proxy stops.
    private async Task<ClientRequest?> ReadRequestAsync(ProxyClient client)
    {
        using var idle = new Deadline(options.Limits.DialFrontIdleTimeout, time, stopping);
        try
        {
            var head = await ReadHeadAsync(client, idle.Token);
            if (idle.HasPassed && client.Http.IsInsideHead)
            {
                throw new HttpFormatException($"its head took longer than {GoDuration.Format(idle.Limit)}", status: 408);
            }

            return head is not null && !idle.Token.IsCancellationRequested ? new ClientRequest(head) : null;
        }
        catch (HttpFormatException error)
        {
            var problem = Printable.Clean(error.Message);
            LogRefused(client, problem);
            await client.AnswerAsync(new ProxyReply(error.Status, $"the request cannot be read: {problem}"), RequestId.From(default), request: null);
            return null;
        }
    }

    // A client whose idle upstream has ended is closed, as the upstream would have closed it, unless its next request has begun.
    private static async Task<HeadText?> ReadHeadAsync(ProxyClient client, CancellationToken idle)
    {
        var hasLostUpstream = false;
        HeadText? head;
        await using var registration = idle.UnsafeRegister(static state => ((HttpStream)state!).CancelRead(), client.Http);
        var reading = client.Http.ReadHeadAsync(MaxHead);
        if (reading.IsCompleted)
        {
            return await reading;
        }

        using var read = new CancellationTokenSource();
        var watching = client.Upstream.WatchIdleAsync(UpstreamEnded, read.Token);
        try
        {
            head = await reading;
        }
        finally
        {
            await read.CancelAsync();
            await watching;
        }

        return hasLostUpstream ? null : head;

        void UpstreamEnded()
        {
            if (!client.Http.IsInsideHead)
            {
                hasLostUpstream = true;
                client.Http.CancelRead();
            }
        }
    }

    // A plain client at a TLS port gets an answer it can read; a TLS client at a plain port could read no answer.
    private async Task<bool> HandshakeAsync(ProxyClient client)
    {
        using var deadline = new Deadline(certificate is null ? options.Limits.DialFrontIdleTimeout : options.Limits.HandshakeTimeout, time, stopping);
        var first = await client.Leg.PeekFirstByteAsync(deadline.Token);
        var speaksTls = first == TlsHandshakeRecord;
        if (first < 0 || speaksTls == certificate is not null)
        {
            await (certificate is null || first < 0 ? Task.CompletedTask : client.Leg.AuthenticateAsServerAsync(certificate.ServerOptions(), deadline.Token));
            return first >= 0;
        }

        if (speaksTls)
        {
            LogRefused(client, port.Reason(Visitor.Tls));
        }
        else if (await IsClientAsync(client))
        {
            LogRefused(client, "it speaks plain text to a TLS port");
            await client.AnswerAsync(new ProxyReply(400, "this port speaks TLS: use https:// as the proxy's URL"), RequestId.From(default), request: null);
        }

        return false;
    }

    // Agents, who are not, are told where they are.
    private async Task<bool> IsClientAsync(ProxyClient client)
    {
        using var idle = new Deadline(options.Limits.DialFrontIdleTimeout, time, stopping);
        var visitor = await WrongPort.LookAsync(client.Leg, port, idle.Token);
        if (visitor is not (Visitor.Agent or Visitor.AskingAgent or Visitor.Leg))
        {
            return true;
        }

        LogRefused(client, port.Reason(visitor));
        await WrongPort.TellAsync(client.Leg, visitor, port.Hint(visitor), idle.Token);
        client.Leg.Abort();
        return false;
    }

    private void LogRefused(ProxyClient client, string problem)
    {
        if (_refusals.Take(Listener))
        {
            ProxyLog.ClientRefused(logger, client.EndPoint, problem);
        }
    }
}
