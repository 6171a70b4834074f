using System.IO.Pipelines;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Whip.Broker.Listening;
using Whip.Broker.Rendezvous;
using Whip.Hosting;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;
using Whip.Registry;
using Whip.Registry.Routes;
using WhipService = Whip.Protocol.Messages.Whip;

namespace Whip.Broker.ControlStreams;

/// <summary>The server side of every control stream: registers it, reads it, and takes it down. <c>stopping</c> ends what has not registered.</summary>
internal sealed class ControlService(
    LiveStreams streams,
    IClientRegistry registry,
    LocalRoutes routes,
    MembersSender members,
    PendingDials pending,
    BrokerIdentity self,
    ControlStreamMetrics metrics,
    WhipLimits limits,
    ILogger logger,
    TimeProvider time,
    CancellationToken stopping) : WhipService.WhipBase
{
    private static readonly TimeSpan LeaveInterval = TimeSpan.FromMilliseconds(20);

    private volatile string? _refusal;

    /// <summary>From now on a registration is answered Unavailable, for this reason.</summary>
    public void RefuseRegistrations(string reason) => _refusal = reason;

    public void AcceptRegistrations() => _refusal = null;

    /// <summary>Ends the streams that stand; their relays run on.</summary>
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
        // The head leaves now: an agent may wait for it before it sends a message.
        await context.WriteResponseHeadersAsync(Metadata.Empty);
        var http = context.GetHttpContext();
        var connection = AdmittedConnection.Of(http.Features);
        var (route, refusal) = await AcceptAsync(requestStream, connection, context.CancellationToken);
        if (route is null)
        {
            context.Status = refusal;
            return;
        }

        connection.Entry.Leave();
        var agent = new AgentStream(route, connection.RemoteEndPoint, route.AgentId.Length > 0, limits.PendingDialsPerAgent, time);
        await ServeAsync(agent, requestStream, responseStream, http.Response.BodyWriter, context.CancellationToken);
        context.Status = agent.Status;
    }

    /// <returns>The route of the stream, or the status that refuses it.</returns>
    private async Task<(StreamRoute? Route, Status Refusal)> AcceptAsync(
        IAsyncStreamReader<RequestStream> requests, AdmittedConnection connection, CancellationToken aborted)
    {
        using var timeout = new CancellationTokenSource(limits.RegisterTimeout, time);
        using var due = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, aborted, stopping);
        Status refusal;
        try
        {
            var first = await requests.MoveNext(due.Token) ? requests.Current : null;
            if (Registration.TryAccept(first, connection.Peer, self.BrokerId, out var route, out refusal))
            {
                return _refusal is { } reason ? (null, new Status(StatusCode.Unavailable, reason)) : (route, refusal);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return (null, new Status(StatusCode.Unavailable, "the broker stops"));
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            refusal = new Status(StatusCode.DeadlineExceeded, $"no Register within {limits.RegisterTimeout.TotalSeconds:0} s");
        }
        catch (Exception error)
        {
            refusal = StatusOf(error, aborted);
        }

        if (!aborted.IsCancellationRequested)
        {
            ControlStreamLog.RegistrationRefused(logger, connection.RemoteEndPoint, refusal.Detail);
        }

        return (null, refusal);
    }

    private async Task ServeAsync(
        AgentStream agent, IAsyncStreamReader<RequestStream> requests, IServerStreamWriter<ResponseStream> responses, PipeWriter body, CancellationToken aborted)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(aborted, agent.Ended);
        var sending = Task.CompletedTask;
        var reading = Task.CompletedTask;
        try
        {
            Attach(agent);
            sending = agent.SendLoopAsync(responses, body, over.Token);
            reading = ReadLoopAsync(requests, agent, over.Token);
            await await Task.WhenAny(sending, reading);
            await LeaveAsync(agent, over.Token);
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

        members.Greet(agent);
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

    // One agent may hold several streams, and one that was just replaced is about to go.
    private static bool IsNamesake(AgentStream agent, AgentStream other) =>
        other != agent
        && other.Route.Name == agent.Route.Name
        && (other.Route.AgentId.Length == 0 || other.Route.AgentId != agent.Route.AgentId)
        && !other.Ended.IsCancellationRequested;

    /// <summary>An agent that has ended its direction is not dialled any more; it may still bring the legs it was asked for before.</summary>
    private async Task LeaveAsync(AgentStream agent, CancellationToken over)
    {
        Withdraw(agent);
        var since = time.GetTimestamp();
        while (agent.Pending > 0 && time.GetElapsedTime(since) < limits.DialDeadline)
        {
            await Task.Delay(LeaveInterval, time, over);
        }
    }

    private void Withdraw(AgentStream agent)
    {
        streams.Remove(agent);
        registry.Detach(agent.Route);
    }

    private void Detach(AgentStream agent)
    {
        Withdraw(agent);
        metrics.Detached(agent.Route);
        ControlStreamLog.Detached(logger, agent.Route.Name, agent.Remote, agent.Route.StreamId, agent.Status.StatusCode, agent.Status.Detail);
    }

    private async Task ReadLoopAsync(IAsyncStreamReader<RequestStream> requests, AgentStream agent, CancellationToken over)
    {
        while (await requests.MoveNext(over))
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
                case RequestStream.StreamOneofCase.Register:
                    throw new RpcException(new Status(StatusCode.InvalidArgument, "a stream registers once"));
                case RequestStream.StreamOneofCase.None:
                    // A message of a later version: skipped, as the original skips ours.
                    break;
            }
        }
    }
}
