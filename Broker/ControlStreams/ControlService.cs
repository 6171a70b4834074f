using System.IO.Pipelines;
using Google.Protobuf;
using Grpc.Core;
using Whip.Broker.Listening;
using Whip.Broker.Rendezvous;
using Whip.Protocol.ControlStreams;
using Whip.Protocol.Messages;
using Whip.Registry.Routes;
using WhipService = Whip.Protocol.Messages.Whip;

namespace Whip.Broker.ControlStreams;

/// <summary>The server side of every control stream. <c>stopping</c> ends the calls that have not registered.</summary>
internal sealed class ControlService(
    LiveStreams streams,
    IClientRegistry registry,
    LocalRoutes routes,
    MembersSender members,
    PendingDials pending,
    KeptLegs kept,
    BrokerIdentity self,
    ControlStreamMetrics metrics,
    WhipLimits limits,
    ILogger logger,
    TimeProvider time,
    CancellationToken stopping) : WhipService.WhipBase
{
    private const string RetryMilliseconds = "1000";

    private static readonly TimeSpan LeaveInterval = TimeSpan.FromMilliseconds(20);

    private readonly LogRation _refusals = new(LogRation.Named, count => ControlStreamLog.MoreRegistrationsRefused(logger, count), time);
    private readonly HealthReports _health = new(registry, streams, metrics, logger, time);
    private volatile string? _refusal;

    /// <summary>From now on every registration is answered with Unavailable and this reason.</summary>
    public void RefuseRegistrations(string reason) => _refusal = reason;

    public void AcceptRegistrations() => _refusal = null;

    /// <summary>Ends the legs that are idle, and keeps none from now on: with <see cref="RefuseRegistrations"/> no other stream comes.</summary>
    public void KeepNoLegs()
    {
        foreach (var stream in streams.All)
        {
            stream.Legs?.Close();
        }
    }

    /// <summary>Ends every stream; its relays go on.</summary>
    public void EndStreams()
    {
        foreach (var stream in streams.All)
        {
            stream.End(StatusCode.Unavailable, "the broker drains");
        }
    }

    public override async Task Register(
        IAsyncStreamReader<RequestStream> requestStream, IServerStreamWriter<ResponseStream> responseStream, ServerCallContext context)
    {
        // Before anything is read: an agent may wait for the response headers before it sends a message.
        await context.WriteResponseHeadersAsync(Metadata.Empty);
        var http = context.GetHttpContext();
        var connection = AdmittedConnection.Of(http.Features);
        var (route, keeps, refusal) = await AcceptAsync(requestStream, connection, context.CancellationToken);
        if (route is null)
        {
            context.Status = refusal;
            if (refusal.StatusCode == StatusCode.Unavailable)
            {
                context.ResponseTrailers.Add(ControlConnection.RetryTrailer, RetryMilliseconds);
            }

            return;
        }

        connection.Entry.Leave();
        var agent = new AgentStream(route, connection.RemoteEndPoint, route.AgentId.Length > 0, limits.PendingDialsPerAgent, time)
        {
            Peer = connection.Peer,
            Legs = keeps ? kept.NewPool() : null,
        };
        await ServeAsync(agent, requestStream, responseStream, http.Response.BodyWriter, context.CancellationToken);
        context.Status = agent.Status;
    }

    /// <returns>The route of the stream, and whether its agent keeps legs; or the status that refuses it.</returns>
    private async Task<(StreamRoute? Route, bool Keeps, Status Refusal)> AcceptAsync(
        IAsyncStreamReader<RequestStream> requests, AdmittedConnection connection, CancellationToken aborted)
    {
        using var deadline = new Deadline(limits.RegisterTimeout, time, aborted, stopping);
        Status refusal;
        try
        {
            var first = await requests.MoveNext(deadline.Token) ? requests.Current : null;
            if (Registration.TryAccept(first, connection.Peer, self.BrokerId, time.GetUtcNow(), out var route, out refusal))
            {
                var keeps = first!.Register.Capabilities.Contains(KeptLegs.Capability);
                return _refusal is { } reason ? (null, false, new Status(StatusCode.Unavailable, reason)) : (route, keeps, refusal);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return (null, false, new Status(StatusCode.Unavailable, "the broker stops"));
        }
        catch (OperationCanceledException) when (deadline.HasPassed)
        {
            refusal = new Status(StatusCode.DeadlineExceeded, $"no Register within {limits.RegisterTimeout.TotalSeconds:0} s");
        }
        catch (Exception error)
        {
            refusal = StatusOf(error, aborted);
        }

        if (!aborted.IsCancellationRequested && _refusals.Take())
        {
            ControlStreamLog.RegistrationRefused(logger, connection.RemoteEndPoint, refusal.Detail);
        }

        return (null, false, refusal);
    }

    private async Task ServeAsync(
        AgentStream agent,
        IAsyncStreamReader<RequestStream> requests,
        IServerStreamWriter<ResponseStream> responses,
        PipeWriter body,
        CancellationToken aborted)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(aborted, agent.Ended);
        var sending = Task.CompletedTask;
        var reading = Task.CompletedTask;
        try
        {
            Attach(agent);
            sending = agent.SendLoopAsync(responses, body, end.Token);
            reading = ReadLoopAsync(requests, agent, end.Token);
            await await Task.WhenAny(sending, reading);
            await LeaveAsync(agent, end.Token);
            agent.End(StatusCode.OK);
        }
        catch (Exception error)
        {
            agent.End(StatusOf(error, aborted));
        }
        finally
        {
            Detach(agent);
            await Task.WhenAll(sending, reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private Status StatusOf(Exception error, CancellationToken aborted)
    {
        switch (error)
        {
            case RpcException refused:
                return refused.Status;
            case InvalidProtocolBufferException or InvalidDataException:
                return new Status(StatusCode.InvalidArgument, "not a message of a control stream");
            case OperationCanceledException or IOException:
            case var _ when aborted.IsCancellationRequested:
                return new Status(StatusCode.Cancelled, "the agent is gone");
            default:
                ControlStreamLog.Failed(logger, error);
                return new Status(StatusCode.Internal, "the broker failed");
        }
    }

    private void Attach(AgentStream agent)
    {
        var route = agent.Route;
        streams.Add(agent);
        metrics.Attached(route);
        if (agent.IsOurs)
        {
            agent.TrySend(new ResponseStream
            {
                Registered = new Registered { StreamId = route.StreamId, BrokerId = self.BrokerId, LegEndpoints = { $"{self.ExternalTcp}" } },
            });
        }

        foreach (var fenced in registry.Attach(route))
        {
            if (streams.TryGet(fenced, out var older))
            {
                older.End(StatusCode.Aborted, "replaced by a newer stream of the same agent");
            }
        }

        members.SendTo(agent);
        ControlStreamLog.Registered(logger, route.Name, agent.Remote, route.StreamId);
        WarnOfNamesake(agent);
        if (_refusal is { } reason)
        {
            agent.End(StatusCode.Unavailable, reason);
        }
    }

    private void WarnOfNamesake(AgentStream agent)
    {
        var namesake = routes.Named(agent.Route.Name)
            .Select(route => streams.TryGet(route, out var other) ? other : null).OfType<AgentStream>().FirstOrDefault(other => IsNamesake(agent, other));
        if (namesake is not null)
        {
            ControlStreamLog.TwoAgents(logger, agent.Route.Name, agent.Remote, namesake.Remote);
        }
    }

    // Several streams of one agent are no conflict, and neither is one that has just been replaced.
    private static bool IsNamesake(AgentStream agent, AgentStream other) =>
        other != agent
        && other.Route.Name == agent.Route.Name
        && (other.Route.AgentId.Length == 0 || other.Route.AgentId != agent.Route.AgentId)
        && !other.Ended.IsCancellationRequested;

    /// <summary>An agent that has half-closed its stream is no longer dialled, but may still bring the legs that it was asked for.</summary>
    private async Task LeaveAsync(AgentStream agent, CancellationToken ended)
    {
        Withdraw(agent);
        var since = time.GetTimestamp();
        while (agent.Pending > 0 && time.GetElapsedTime(since) < limits.DialDeadline)
        {
            await Task.Delay(LeaveInterval, time, ended);
        }
    }

    private void Withdraw(AgentStream agent)
    {
        streams.Remove(agent);
        registry.Detach(agent.Route);
        agent.Legs?.Close();
    }

    private void Detach(AgentStream agent)
    {
        Withdraw(agent);
        metrics.Detached(agent.Route);
        ControlStreamLog.Detached(logger, agent.Route.Name, agent.Remote, agent.Route.StreamId, agent.Status.StatusCode, agent.Status.Detail);
    }

    private async Task ReadLoopAsync(IAsyncStreamReader<RequestStream> requests, AgentStream agent, CancellationToken ended)
    {
        while (await requests.MoveNext(ended))
        {
            var message = requests.Current;
            switch (message.StreamCase)
            {
                case RequestStream.StreamOneofCase.Pong:
                    if (agent.Pings.Pong(message.Pong.Sequence) is { } roundTrip)
                    {
                        metrics.RoundTrip(agent.Route, roundTrip);
                    }

                    break;
                case RequestStream.StreamOneofCase.ConnectFailed:
                    pending.Fail(agent, message.ConnectFailed.ConnectionID, Printable.Clean(message.ConnectFailed.ErrorMessage));
                    break;
                case RequestStream.StreamOneofCase.Ping:
                    agent.TrySend(new ResponseStream { Pong = new Pong { Sequence = message.Ping.Sequence, PingTimestamp = message.Ping.PingTimestamp } });
                    break;
                case RequestStream.StreamOneofCase.Health:
                    _health.Told(agent, message.Health);
                    break;
                case RequestStream.StreamOneofCase.Register:
                    throw new RpcException(new Status(StatusCode.InvalidArgument, "a stream registers once"));
                case RequestStream.StreamOneofCase.None:
                    // A message of a later version.
                    break;
            }
        }
    }
}
