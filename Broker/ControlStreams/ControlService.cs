using Microsoft.Extensions.Logging;
using Whip.Broker.Peers;
using Whip.Broker.Rendezvous;
using Whip.Hosting;
using Whip.Hosting.Grpc;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;
using Whip.Registry;
using Whip.Registry.Routes;

namespace Whip.Broker.ControlStreams;

/// <summary>The server side of every control stream: registers it, reads it, and takes it down.</summary>
internal sealed class ControlService(
    LiveStreams streams,
    IClientRegistry registry,
    LocalRoutes routes,
    MembersAnnouncer members,
    PeerService? peers,
    PendingDials pending,
    BrokerIdentity self,
    BrokerMetrics metrics,
    WhipLimits limits,
    ILogger logger,
    TimeProvider time) : IControlService
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
            stream.End(new GrpcStatus(GrpcStatusCode.Unavailable, "the broker drains"));
        }
    }

    public async Task<GrpcStatus> RegisterAsync(IControlStream<RequestStream, ResponseStream> stream, CancellationToken aborted)
    {
        StreamRoute? route;
        try
        {
            using var deadline = new CancellationTokenSource(limits.RegisterTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(aborted, deadline.Token);
            var first = await stream.ReadAsync(either.Token);
            if (!Registration.TryAccept(stream, first, self.BrokerId, out route, out var refusal))
            {
                BrokerLog.RegistrationRefused(logger, stream.RemoteEndPoint, refusal.Message);
                return refusal;
            }
        }
        catch (OperationCanceledException) when (!aborted.IsCancellationRequested)
        {
            BrokerLog.RegistrationRefused(logger, stream.RemoteEndPoint, "no Register came in time");
            return new GrpcStatus(GrpcStatusCode.DeadlineExceeded, $"no Register within {limits.RegisterTimeout.TotalSeconds:0} s");
        }
        catch (GrpcStatusException error)
        {
            BrokerLog.RegistrationRefused(logger, stream.RemoteEndPoint, error.Status.Message);
            return error.Status;
        }

        if (_refusal is { } reason)
        {
            return new GrpcStatus(GrpcStatusCode.Unavailable, reason);
        }

        stream.Authenticated();
        var agent = new AgentStream(route, stream.RemoteEndPoint, route.AgentId.Length > 0, limits.PendingDialsPerAgent);
        return await ServeAsync(stream, agent, aborted);
    }

    public Task<GrpcStatus> LinkAsync(IControlStream<PeerRequest, PeerReply> stream, CancellationToken aborted) =>
        peers?.LinkAsync(stream, aborted) ?? Task.FromResult(new GrpcStatus(GrpcStatusCode.Unimplemented, "this broker is in no cluster"));

    private async Task<GrpcStatus> ServeAsync(IControlStream<RequestStream, ResponseStream> stream, AgentStream agent, CancellationToken aborted)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(aborted, agent.Ended);
        try
        {
            await AttachAsync(agent);
            var sending = agent.SendLoopAsync(stream, over.Token);
            var reading = ReadLoopAsync(stream, agent, over.Token);
            await await Task.WhenAny(sending, reading);
            await LeaveAsync(agent, over.Token);
            agent.End(GrpcStatus.Ok);
            await Task.WhenAll(sending, reading);
        }
        catch (OperationCanceledException)
        {
            agent.End(new GrpcStatus(GrpcStatusCode.Cancelled, "the agent is gone"));
        }
        catch (GrpcStatusException error)
        {
            agent.End(error.Status);
        }
        finally
        {
            agent.End(new GrpcStatus(GrpcStatusCode.Internal, "the broker failed"));
            await DetachAsync(agent);
        }

        return agent.Status;
    }

    private async Task AttachAsync(AgentStream agent)
    {
        var route = agent.Route;
        agent.Pings.Start(time.GetTimestamp());
        streams.Add(agent);
        metrics.StreamAttached(route);
        if (agent.IsOurs)
        {
            agent.TrySend(new ResponseStream
            {
                Registered = new Registered { StreamId = route.StreamId, BrokerId = self.BrokerId, LegEndpoints = { self.ExternalTcp } },
            });
        }

        foreach (var fenced in await registry.AnnounceAsync(route, agent.Ended))
        {
            if (streams.TryGet(fenced, out var older))
            {
                older.End(new GrpcStatus(GrpcStatusCode.Aborted, "replaced by a newer stream of the same agent"));
            }
        }

        members.Greet(agent);
        BrokerLog.Registered(logger, route.Name, agent.Remote, route.StreamId);
        WarnOfNamesake(agent);
        if (_refusal is { } reason)
        {
            agent.End(new GrpcStatus(GrpcStatusCode.Unavailable, reason));
        }
    }

    private void WarnOfNamesake(AgentStream agent)
    {
        var namesake = routes.Named(agent.Route.Name)
            .Select(route => streams.TryGet(route, out var other) ? other : null).OfType<AgentStream>().FirstOrDefault(other => IsNamesake(agent, other));
        if (namesake is not null)
        {
            BrokerLog.TwoAgents(logger, agent.Route.Name, agent.Remote, namesake.Remote);
        }
    }

    // One agent may hold several streams, and one that was just replaced is about to go.
    private static bool IsNamesake(AgentStream agent, AgentStream other) =>
        other != agent
        && other.Route.Name == agent.Route.Name
        && (other.Route.AgentId.Length == 0 || other.Route.AgentId != agent.Route.AgentId)
        && !other.Ended.IsCancellationRequested;

    /// <summary>An agent that sends no more takes no new dials; those it was asked for before may still bring their legs.</summary>
    private async Task LeaveAsync(AgentStream agent, CancellationToken over)
    {
        await WithdrawAsync(agent);
        var since = time.GetTimestamp();
        while (agent.Pending > 0 && time.GetElapsedTime(since) < limits.DialDeadline)
        {
            await Task.Delay(LeaveInterval, time, over);
        }
    }

    private ValueTask WithdrawAsync(AgentStream agent)
    {
        streams.Remove(agent);
        return registry.WithdrawAsync(agent.Route, CancellationToken.None);
    }

    private async Task DetachAsync(AgentStream agent)
    {
        await WithdrawAsync(agent);
        metrics.StreamDetached(agent.Route);
        BrokerLog.Detached(logger, agent.Route.Name, agent.Remote, agent.Route.StreamId, agent.Status.ToString());
    }

    private async Task ReadLoopAsync(IControlStream<RequestStream, ResponseStream> stream, AgentStream agent, CancellationToken over)
    {
        while (await stream.ReadAsync(over) is { } message)
        {
            switch (message.StreamCase)
            {
                case RequestStream.StreamOneofCase.Pong:
                    if (agent.Pings.Pong(time, message.Pong.Sequence) is { } roundTrip)
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
                    throw new GrpcStatusException(new GrpcStatus(GrpcStatusCode.InvalidArgument, "a stream registers once"));
                case RequestStream.StreamOneofCase.None:
                    // A message of a later version: skipped, as the original skips ours.
                    break;
            }
        }
    }
}
