using Whip.Broker.Cluster;
using Whip.Broker.Dialing;
using Whip.Broker.Listening;
using Whip.Protocol.Connect;

namespace Whip.Broker.DialFront;

/// <summary>Serves CONNECT: one dial per connection, then the relay on the same connection.</summary>
internal sealed class DialFrontServer(
    BrokerDialer dialer,
    BrokerCluster? cluster,
    string zone,
    LegGreeter greeter,
    PortKind port,
    RelayContext relays,
    bool isTls,
    DescriptorBudget descriptors,
    RelayMetrics metrics,
    ListenerMetrics listenerMetrics,
    WhipLimits limits,
    ILogger logger,
    TimeProvider time) : IDisposable
{
    /// <summary>The name of the listener in logs and metrics.</summary>
    public const string Name = "dial";

    private const string Forged =
        $"{ConnectRequest.ForwardedHeader}, {ConnectRequest.DialerHeader} and {ConnectRequest.ZoneHeader} are for brokers of this cluster only";

    // A pending dial ends within five seconds.
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _closing = new();

    // They are no strangers, so that those do not displace them; without a descriptor they have to go. Half of the descriptors are not for them: who
    // dials has a place for its handshake, in which it still is a stranger.
    private readonly UnauthenticatedGate _idle = new(int.MaxValue, descriptors, SpareKind.Idle);

    /// <summary>Closes the connections that have not sent their CONNECT; dials and relays go on.</summary>
    public Task CloseIdleAsync() => _closing.CancelAsync();

    public async Task HandleAsync(Leg leg, UnauthenticatedGate.Entry entry, CancellationToken stopping)
    {
        try
        {
            using var idle = CancellationTokenSource.CreateLinkedTokenSource(stopping, _closing.Token);

            // A plain dialer sends its first byte when it dials; a TLS handshake begins at once.
            var timeout = isTls ? limits.HandshakeTimeout : limits.DialFrontIdleTimeout;
            if (!await greeter.GreetAsync(leg, entry, port, static (_, _) => Task.FromResult<string?>(null), timeout, idle.Token))
            {
                return;
            }

            if (isTls && entry.Leave())
            {
                entry = _idle.Enter(leg.Abort);
                leg.OnClosed(() => entry.Leave());
                _idle.EvictBeyond(Math.Max(1, descriptors.Size / 2));
            }

            var request = await ReadRequestAsync(leg, idle.Token);
            entry.Leave();
            if (request is not null && leg.Peer is { } peer && peer.NotAfter <= time.GetUtcNow())
            {
                var expired = $"the certificate ({peer}) expired on {peer.NotAfter:u}";
                Refuse(leg, expired, "refused");
                await AnswerAsync(leg, DialResult.Failed(DialOutcome.Denied, expired));
            }
            else if (request is not null && Identify(leg, request) is { } origin)
            {
                await ServeAsync(leg, request, origin, stopping);
            }
            else if (request is not null)
            {
                Refuse(leg, Forged, "refused");
                await AnswerAsync(leg, DialResult.Failed(DialOutcome.BadRequest, Forged));
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The dialer has gone, or the broker stops.
        }
        finally
        {
            leg.Abort();
            if (entry.IsEvicted)
            {
                listenerMetrics.Rejected(Name, "evicted");
            }
        }
    }

    public void Dispose() => _closing.Dispose();

    private async Task<ConnectRequest?> ReadRequestAsync(Leg leg, CancellationToken idle)
    {
        HeadParse<ConnectRequest> parse;
        try
        {
            using (var silence = new Deadline(limits.DialFrontIdleTimeout, time, idle))
            {
                await leg.WaitReadableAsync().WaitAsync(silence.Token);
            }

            using var deadline = new Deadline(limits.HandshakeTimeout, time, idle);
            parse = await HeadReader.ReadAsync<ConnectRequest>(leg, ConnectRequest.Parse, limits.ConnectHeadSize, deadline.Token);
        }
        catch (OperationCanceledException) when (!idle.IsCancellationRequested)
        {
            Refuse(leg, "silent or slow before its CONNECT was whole", "timeout");
            return null;
        }

        if (parse.Head is { } request)
        {
            return request;
        }

        if (parse.Problem is { } problem)
        {
            await RefuseHeadAsync(leg, problem);
        }

        return null;
    }

    /// <summary>Who is no dialer is told where it is.</summary>
    private async Task RefuseHeadAsync(Leg leg, string problem)
    {
        using var timeout = new CancellationTokenSource(limits.HandshakeTimeout, time);
        var visitor = await LegGreeter.LookAsync(leg, timeout.Token);
        if (visitor == port.Serves || visitor is Visitor.Unknown or Visitor.Tls)
        {
            Refuse(leg, problem, "refused");
            await AnswerAsync(leg, DialResult.Failed(DialOutcome.BadRequest, problem));
            return;
        }

        Refuse(leg, $"{problem}: {port.Reason(visitor)}", "refused");
        await LegGreeter.TellAsync(leg, visitor, port.Hint(visitor), timeout.Token);
    }

    /// <returns>Null if the request has headers that only a broker of this cluster may send.</returns>
    private DialOrigin? Identify(Leg leg, ConnectRequest request)
    {
        var sender = $"{leg.RemoteEndPoint} ({leg.Peer?.ToString() ?? "plain"})";
        if (request is { Forwarded: null, DialerNames: null, Zone: null })
        {
            return new DialOrigin(leg.Peer?.Names ?? [], sender)
            {
                Scope = request.Redirected > 0 ? ResolveScope.OwnFirst : ResolveScope.Cluster,
                AcceptsRedirect = request.AcceptsRedirect && request.Redirected == 0,
                Zone = zone,
            };
        }

        return cluster?.IsForwarded(leg, request) != true ? null
            : new DialOrigin(request.DialerNames ?? [], $"{sender}, forwarded by broker {request.Forwarded}")
            {
                Scope = ResolveScope.OwnOnly,
                Zone = request.Zone ?? "",
            };
    }

    private async Task ServeAsync(Leg leg, ConnectRequest request, DialOrigin origin, CancellationToken stopping)
    {
        await using var watch = new DialerWatch(leg);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, watch.Gone);
        watch.Start();
        DialResult result;
        try
        {
            await using var progress = ProgressReports.Start(request, leg, limits.HandshakeTimeout, time);
            result = await dialer.DialAsync(request.ToDialRequest(limits.DialDeadline), origin, end.Token);
        }
        catch (OperationCanceledException)
        {
            DialFrontLog.DialerGone(logger, request.Target.Name, request.Target.Port, origin.Description);
            return;
        }

        await watch.StopAsync();
        if (result.Stream is { } agentLeg)
        {
            await RelayAsync(leg, agentLeg, request, stopping);
        }
        else
        {
            await AnswerAsync(leg, result);
        }
    }

    private async Task RelayAsync(Leg leg, WhipStream agentLeg, ConnectRequest request, CancellationToken stopping)
    {
        try
        {
            using var timeout = new CancellationTokenSource(limits.HandshakeTimeout, time);
            await leg.WriteAsync(new ConnectResponse(DialOutcome.Connected, "").ToBytes(), timeout.Token);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            agentLeg.Abort();
            return;
        }

        var result = await Relay.RunAsync(leg, agentLeg, relays, stopping);
        metrics.Ended(result.End);
        DialFrontLog.RelayEnded(logger, request.Target.Name, request.Target.Port, result.End, result.BytesAToB, result.BytesBToA, result.Detail);
    }

    private async Task AnswerAsync(Leg leg, DialResult result)
    {
        using var timeout = new CancellationTokenSource(limits.HandshakeTimeout, time);
        var response = new ConnectResponse(result.Outcome, result.Reason)
        {
            RetryAfter = result.Outcome == DialOutcome.Overloaded ? RetryAfter : null,
            Location = result.Location,
        };
        await LegGreeter.AnswerAsync(leg, response, timeout.Token);
    }

    private void Refuse(Leg leg, string problem, string reason)
    {
        greeter.LogRefused(Name, leg, problem);
        listenerMetrics.Rejected(Name, reason);
    }
}
