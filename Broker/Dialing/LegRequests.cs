using Whip.Broker.ControlStreams;
using Whip.Broker.Rendezvous;
using Whip.Protocol.Messages;

namespace Whip.Broker.Dialing;

/// <summary>Asks one agent for one leg and waits for it.</summary>
internal sealed class LegRequests(PendingDials pending, BrokerIdentity self, WhipLimits limits, TimeProvider time)
{
    /// <exception cref="OperationCanceledException">The dial has ended; the agent was sent Cancel.</exception>
    public async Task<DialResult> RequestAsync(AgentStream stream, Dial dial, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (!stream.TryReserve(limits.PendingDialsPerAgent))
        {
            return DialResult.Failed(DialOutcome.Overloaded, $"{stream.Route.Name} has {limits.PendingDialsPerAgent} dials pending");
        }

        var request = pending.Add(stream);
        try
        {
            return await AskAsync(request, dial, timeout, cancellationToken);
        }
        finally
        {
            pending.Remove(request);
            stream.Release();
        }
    }

    private async Task<DialResult> AskAsync(PendingDial request, Dial dial, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var stream = request.Stream;
        using var deadline = new Deadline(timeout, time, cancellationToken, stream.Ended);
        if (!stream.TrySend(Connect(request, dial, timeout)))
        {
            return DialResult.Failed(DialOutcome.AgentFailed, $"{stream.Route.Name} lost its control stream");
        }

        try
        {
            return await request.Arrival.WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            if (!request.TryFail("the dial has ended"))
            {
                // The leg, or the agent's answer, has just arrived.
                return await request.Arrival;
            }

            stream.TrySend(new ResponseStream { Cancel = new Cancel { ConnectionID = request.ConnectionId } });
            cancellationToken.ThrowIfCancellationRequested();
            return stream.Ended.IsCancellationRequested
                ? DialResult.Failed(DialOutcome.AgentFailed, $"{stream.Route.Name} lost its control stream")
                : DialResult.Failed(DialOutcome.DeadlineExceeded, $"{stream.Route.Name} brought no leg within {timeout.TotalSeconds:0.#} s");
        }
    }

    private ResponseStream Connect(PendingDial request, Dial dial, TimeSpan timeout)
    {
        var connect = new Connect
        {
            ConnectionID = request.ConnectionId,
            Host = self.ExternalTcp.Host,
            Port = (uint)self.ExternalTcp.Port,
            LocalPort = (uint)dial.Port,
            Deadline = (uint)Math.Max(1, timeout.TotalMilliseconds),
            DialerId = dial.Origin.Id ?? "",
        };
        connect.Dialer.AddRange(dial.Origin.Names);
        return new ResponseStream { Connect = connect };
    }
}
