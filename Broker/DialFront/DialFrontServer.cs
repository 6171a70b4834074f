using Whip.Broker.Cluster;
using Whip.Broker.Dialing;
using Whip.Broker.Listening;
using Whip.Protocol.Connect;
using Whip.Protocol.Kept;

namespace Whip.Broker.DialFront;

/// <summary>Serves CONNECT: a dial, then its relay on the same connection; and the next one if the dialer asked to keep the connection.</summary>
internal sealed class DialFrontServer(
    BrokerDialer dialer,
    BrokerCluster? cluster,
    string zone,
    LegGreeter greeter,
    PortKind port,
    RelayContext relays,
    TlsIdentity? tls,
    KeptDialers kept,
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
        $"{ConnectRequest.ForwardedHeader}, {ConnectRequest.DialerHeader}, {ConnectRequest.DialerIdHeader} and {ConnectRequest.ZoneHeader} "
        + "are for brokers of this cluster only";

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
        var connection = new DialerConnection(leg, entry, kept.NewLife());
        try
        {
            var request = await GreetAsync(connection, stopping);
            while (request is not null && await ServeAsync(connection, request, stopping))
            {
                (connection.IsReused, connection.IsIdle) = (true, true);
                request = await NextAsync(connection, stopping);
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The dialer has gone, or the broker stops.
        }
        finally
        {
            if (connection.IsIdle)
            {
                // Not a reset, which would take from a dialer what it has not read yet of its last dial.
                await leg.DisposeAsync();
            }

            leg.Abort();
            if (connection is { IsReused: false, Entry.IsEvicted: true })
            {
                listenerMetrics.Rejected(Name, "evicted");
            }
        }
    }

    public void Dispose() => _closing.Dispose();

    /// <returns>The first request; null: there is none, and the dialer has been told why.</returns>
    private async Task<ConnectRequest?> GreetAsync(DialerConnection connection, CancellationToken stopping)
    {
        var leg = connection.Leg;
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(stopping, _closing.Token);

        // A plain dialer sends its first byte when it dials; a TLS handshake begins at once.
        var timeout = tls is null ? limits.DialFrontIdleTimeout : limits.HandshakeTimeout;
        var greeting = await greeter.GreetAsync(leg, connection.Entry, port, static (_, _) => Task.FromResult<string?>(null), timeout, idle.Token);
        if (!greeting.IsAdmitted)
        {
            return null;
        }

        leg.OnClosed(() => connection.Entry.Leave());
        if (tls is not null && connection.Entry.Leave())
        {
            connection.Entry = _idle.Enter(leg.Abort);
            _idle.EvictBeyond(Math.Max(1, descriptors.Size / 2));
        }

        try
        {
            using var silence = new Deadline(limits.DialFrontIdleTimeout, time, idle.Token);
            await leg.WaitReadableAsync().WaitAsync(silence.Token);
        }
        catch (OperationCanceledException) when (!idle.IsCancellationRequested)
        {
            RefuseSlow(leg);
            return null;
        }

        var request = await ReadRequestAsync(leg, idle.Token);
        connection.Entry.Leave();
        return request;
    }

    /// <returns>Null: the connection has ended, or is to be closed.</returns>
    private async Task<ConnectRequest?> NextAsync(DialerConnection connection, CancellationToken stopping)
    {
        if (!await kept.WaitAsync(connection, stopping))
        {
            return null;
        }

        connection.IsIdle = false;
        var request = await ReadRequestAsync(connection.Leg, stopping);
        if (request is not null)
        {
            kept.Reused();
        }

        return request;
    }

    private async Task<ConnectRequest?> ReadRequestAsync(Leg leg, CancellationToken stopping)
    {
        HeadParse<ConnectRequest> parse;
        try
        {
            using var deadline = new Deadline(limits.HandshakeTimeout, time, stopping);
            parse = await HeadReader.ReadAsync<ConnectRequest>(leg, ConnectRequest.Parse, limits.ConnectHeadSize, deadline.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            RefuseSlow(leg);
            return null;
        }

        if (parse.Problem is { } problem)
        {
            await RefuseHeadAsync(leg, problem);
        }

        return parse.Head;
    }

    /// <returns>True: the dial is over, and the connection waits for the next.</returns>
    private async Task<bool> ServeAsync(DialerConnection connection, ConnectRequest request, CancellationToken stopping)
    {
        var leg = connection.Leg;
        if (leg.Peer is { } peer && peer.NotAfter <= time.GetUtcNow())
        {
            var expired = $"the certificate ({peer}) expired on {peer.NotAfter:u}";
            Refuse(leg, expired, "refused");
            await AnswerAsync(leg, DialResult.Failed(DialOutcome.Denied, expired));
            return false;
        }

        if (Identify(leg, request) is not { } origin)
        {
            Refuse(leg, Forged, "refused");
            await AnswerAsync(leg, DialResult.Failed(DialOutcome.BadRequest, Forged));
            return false;
        }

        return await DialAsync(connection, request, origin, stopping);
    }

    /// <summary>Who is no dialer is told where it is.</summary>
    private async Task RefuseHeadAsync(Leg leg, string problem)
    {
        using var timeout = new CancellationTokenSource(limits.HandshakeTimeout, time);
        var visitor = await WrongPort.LookAsync(leg, port, timeout.Token);
        if (visitor == port.Serves || visitor is Visitor.Unknown or Visitor.Tls)
        {
            Refuse(leg, problem, "refused");
            await AnswerAsync(leg, DialResult.Failed(DialOutcome.BadRequest, problem));
            return;
        }

        Refuse(leg, $"{problem}: {port.Reason(visitor)}", "refused");
        await WrongPort.TellAsync(leg, visitor, port.Hint(visitor), timeout.Token);
    }

    /// <returns>Null if the request has headers that only a broker of this cluster may send.</returns>
    private DialOrigin? Identify(Leg leg, ConnectRequest request)
    {
        var sender = $"{leg.RemoteEndPoint} ({leg.Peer?.ToString() ?? "plain"})";
        if (request is { Forwarded: null, DialerNames: null, DialerId: null, DialerAddress: null, Zone: null })
        {
            return new DialOrigin(leg.Peer?.Names ?? [], sender)
            {
                Id = leg.Peer?.Id,
                Address = DialerAddress.Of(leg.RemoteEndPoint, leg.LocalEndPoint),
                Scope = request.Redirected > 0 ? ResolveScope.OwnFirst : ResolveScope.Cluster,
                AcceptsRedirect = request.AcceptsRedirect && request.Redirected == 0,
                Zone = zone,
                TraceParent = request.TraceParent,
            };
        }

        return cluster?.IsForwarded(leg, request) != true ? null
            : new DialOrigin(request.DialerNames ?? [], $"{sender}, forwarded by broker {request.Forwarded}")
            {
                Id = request.DialerId,
                Address = request.DialerAddress,
                Scope = ResolveScope.OwnOnly,
                Zone = request.Zone ?? "",
                TraceParent = request.TraceParent,
            };
    }

    /// <inheritdoc cref="ServeAsync"/>
    private async Task<bool> DialAsync(DialerConnection connection, ConnectRequest request, DialOrigin origin, CancellationToken stopping)
    {
        using var denial = TrackForwarded(connection.Leg, origin);
        var leg = connection.Leg;
        var keep = kept.Accept(request, connection);
        await using var watch = new DialerWatch(leg, mayTalk: keep is null);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, watch.Gone);
        watch.Start();
        DialResult result;
        try
        {
            await using var progress = ProgressReports.Start(request, leg, limits.HandshakeTimeout, time, connection.IsReused);
            result = await dialer.DialAsync(request.ToDialRequest(limits.DialDeadline), origin, end.Token);
        }
        catch (OperationCanceledException)
        {
            DialFrontLog.DialerGone(logger, request.Target.Name, request.Target.Port, origin.Description);
            return false;
        }

        await watch.StopAsync();
        if (keep is not null && watch.Gone.IsCancellationRequested)
        {
            result.Stream?.Abort();
            return false;
        }

        return result.Stream is { } agentLeg ? await RelayAsync(leg, agentLeg, request, keep, stopping)
            : keep is not null ? await RefuseAndKeepAsync(leg, result, keep)
            : await AnswerAsync(leg, result);
    }

    /// <summary>
    /// A leg ends when the certificate that it was opened with is denied. The dialer of a forwarded dial has shown its own to another broker, whose deny
    /// list may be another. One that is denied already is refused, by name, as its dial begins.
    /// </summary>
    private IDisposable? TrackForwarded(Leg leg, DialOrigin origin) =>
        origin.Scope == ResolveScope.OwnOnly && tls?.Denied is { } denied && !denied.Matches(origin.Names, origin.Id)
            ? denied.Track(origin.Names, origin.Id, leg.Abort)
            : null;

    private async Task<bool> RelayAsync(Leg leg, WhipStream agentLeg, ConnectRequest request, string? keep, CancellationToken stopping)
    {
        try
        {
            using var timeout = new CancellationTokenSource(limits.HandshakeTimeout, time);
            await leg.WriteAsync(new ConnectResponse(DialOutcome.Connected, "") { Keep = keep }.ToBytes(), timeout.Token);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            agentLeg.Abort();
            return false;
        }

        var framed = keep is null ? null : new ServingStream(leg);
        var result = await Relay.RunAsync((WhipStream?)framed ?? leg, agentLeg, relays, stopping);
        metrics.Ended(result.End);
        DialFrontLog.RelayEnded(logger, request.Target.Name, request.Target.Port, result.End, result.BytesAToB, result.BytesBToA, result.Detail);
        return framed is { IsDone: true };
    }

    private async Task<bool> RefuseAndKeepAsync(Leg leg, DialResult result, string keep)
    {
        using var timeout = new CancellationTokenSource(limits.HandshakeTimeout, time);
        await leg.WriteAsync((Response(result) with { Keep = keep }).ToBytes(), timeout.Token);
        return true;
    }

    /// <returns>False: the connection has ended with it.</returns>
    private async Task<bool> AnswerAsync(Leg leg, DialResult result)
    {
        using var timeout = new CancellationTokenSource(limits.HandshakeTimeout, time);
        await WrongPort.AnswerAsync(leg, Response(result), timeout.Token);
        return false;
    }

    private static ConnectResponse Response(DialResult result) => new(result.Outcome, result.Reason)
    {
        RetryAfter = result.Outcome is DialOutcome.Overloaded or DialOutcome.Unavailable ? RetryAfter : null,
        Location = result.Location,
    };

    private void RefuseSlow(Leg leg) => Refuse(leg, "silent or slow before its CONNECT was whole", "timeout");

    private void Refuse(Leg leg, string problem, string reason)
    {
        greeter.LogRefused(Name, leg, problem);
        listenerMetrics.Rejected(Name, reason);
    }
}
