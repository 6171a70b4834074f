using Whip.Broker.ControlStreams;
using Whip.Broker.Rendezvous;
using Whip.Hosting;
using Whip.Protocol.Dialing;
using Whip.Protocol.Messages;

namespace Whip.Broker.Dialing;

/// <summary>Asks one agent for one leg and waits for it.</summary>
internal sealed class LegRequests(PendingDials pending, BrokerIdentity self, WhipLimits limits, TimeProvider time)
{
    /// <exception cref="OperationCanceledException">The dial as a whole has ended; the agent has been told.</exception>
    public async Task<LegAttempt> RequestAsync(AgentStream stream, Dial dial, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (!stream.TryReserve(limits.PendingDialsPerAgent))
        {
            return LegAttempt.Failed(DialOutcome.Overloaded, $"{stream.Route.Name} has {limits.PendingDialsPerAgent} dials pending");
        }

        var request = pending.Add(stream);
        try
        {
            return await AskAsync(request, dial, patience, cancellationToken);
        }
        finally
        {
            pending.Remove(request);
            stream.Release();
        }
    }

    private async Task<LegAttempt> AskAsync(PendingDial request, Dial dial, TimeSpan patience, CancellationToken cancellationToken)
    {
        var stream = request.Stream;
        using var timeout = new CancellationTokenSource(patience > TimeSpan.Zero ? patience : TimeSpan.FromMilliseconds(1), time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stream.Ended, timeout.Token);
        if (!stream.TrySend(Connect(request, dial, patience)))
        {
            return LegAttempt.Failed(DialOutcome.AgentFailed, $"{stream.Route.Name} lost its control stream");
        }

        LegArrival arrival;
        try
        {
            arrival = await request.Arrival.WaitAsync(over.Token);
        }
        catch (OperationCanceledException)
        {
            if (request.TryFail(""))
            {
                stream.TrySend(new ResponseStream { Cancel = new Cancel { ConnectionID = request.ConnectionId } });
                cancellationToken.ThrowIfCancellationRequested();
                return stream.Ended.IsCancellationRequested
                    ? LegAttempt.Failed(DialOutcome.AgentFailed, $"{stream.Route.Name} lost its control stream")
                    : LegAttempt.Failed(DialOutcome.DeadlineExceeded, $"{stream.Route.Name} brought no leg within {patience.TotalSeconds:0.#} s");
            }

            // The leg or the agent's answer came first by a hair.
            arrival = await request.Arrival;
        }

        return arrival.Leg is { } leg
            ? new LegAttempt(leg, null)
            : LegAttempt.Failed(DialOutcome.AgentFailed, $"{stream.Route.Name}: {arrival.Failure}");
    }

    private ResponseStream Connect(PendingDial request, Dial dial, TimeSpan patience)
    {
        var connect = new Connect
        {
            ConnectionID = request.ConnectionId,
            Host = self.ExternalTcpHost,
            Port = (uint)self.ExternalTcpPort,
            LocalPort = (uint)dial.Port,
            Deadline = (uint)Math.Max(1, patience.TotalMilliseconds),
        };
        connect.Dialer.AddRange(dial.Origin.Names);
        return new ResponseStream { Connect = connect };
    }
}
