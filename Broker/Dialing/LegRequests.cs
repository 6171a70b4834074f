using Whip.Broker.ControlStreams;
using Whip.Broker.Rendezvous;
using Whip.Protocol.Kept;
using Whip.Protocol.Messages;

namespace Whip.Broker.Dialing;

/// <summary>Asks one agent for one leg: on an idle one that it has kept, or for a new one, for which it waits.</summary>
internal sealed class LegRequests(PendingDials pending, KeptLegs kept, BrokerIdentity self, WhipLimits limits, ILogger logger, TimeProvider time)
{
    // A leg that takes longer waits for the agent's local port or for a long way, and leaves its turn to the next.
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(25);

    /// <exception cref="OperationCanceledException">The dial has ended; so has what the agent has begun for it.</exception>
    public async Task<DialResult> RequestAsync(AgentStream stream, Dial dial, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (!stream.TryReserve(limits.PendingDialsPerAgent))
        {
            return DialResult.Failed(DialOutcome.Overloaded, $"{stream.Route.Name} has {limits.PendingDialsPerAgent} dials pending");
        }

        using var deadline = new Deadline(timeout, time, cancellationToken, stream.Ended);
        using var phase = DialTrace.Phase("leg")?.SetTag("whip.instance", stream.Route.Name.ToString());
        try
        {
            return stream.Legs is { } legs
                ? await AskAsync(stream, legs, dial, deadline)
                : await ConnectAsync(stream, dial, deadline);
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return stream.Ended.IsCancellationRequested
                ? Lost(stream)
                : DialResult.Failed(DialOutcome.DeadlineExceeded, $"{stream.Route.Name} brought no leg within {timeout.TotalSeconds:0.#} s");
        }
        finally
        {
            stream.Release();
        }
    }

    private static DialResult Lost(AgentStream stream) => DialResult.Failed(DialOutcome.AgentFailed, $"{stream.Route.Name} lost its control stream");

    private async Task<DialResult> AskAsync(AgentStream stream, KeptPool legs, Dial dial, Deadline deadline)
    {
        var open = Connect(stream, PendingDials.NewId(), dial, deadline);
        if (await legs.TakeAsync(KeptLeg.AnyDial, mayReuse: open.CalculateSize() <= FrameHeader.MaxOpen, deadline.Token) is KeptLeg leg)
        {
            open.Deadline = Milliseconds(deadline);
            return await OpenAsync(stream, leg, legs, open, deadline) ?? await ConnectAsync(stream, dial, deadline);
        }

        var connecting = ConnectAsync(stream, dial, deadline);
        await ((Task)connecting).WaitAsync(Turn, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        legs.Opened(KeptLeg.AnyDial);
        return await connecting;
    }

    /// <returns>Null: the leg was stale. No other kept one is tried by this dial.</returns>
    private async Task<DialResult?> OpenAsync(AgentStream stream, KeptLeg leg, KeptPool legs, Connect open, Deadline deadline)
    {
        leg.IsBusy = true;
        using var silence = new Deadline(KeptLimits.StaleAfter, time, deadline.Token);
        var asking = kept.Stream(leg);
        try
        {
            var refusal = await asking.OpenAsync(open, silence.Token, deadline.Token);
            kept.Reused();
            if (refusal is null)
            {
                return DialResult.Connected(asking);
            }

            leg.GiveBack();
            return DialResult.Failed(DialOutcome.AgentFailed, $"{stream.Route.Name}: {Printable.Clean(refusal)}");
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            deadline.Token.ThrowIfCancellationRequested();
            kept.Stale();
            var problem = error is OperationCanceledException ? $"nothing came within {KeptLimits.StaleAfter.TotalMilliseconds:0} ms" : error.Message;
            DialLog.StaleLeg(logger, stream.Route.Name, Printable.Clean(problem));
            legs.Drop(leg);
            return null;
        }
    }

    /// <inheritdoc cref="RequestAsync"/>
    private async Task<DialResult> ConnectAsync(AgentStream stream, Dial dial, Deadline deadline)
    {
        var request = pending.Add(stream);
        try
        {
            return stream.TrySend(new ResponseStream { Connect = Connect(stream, request.ConnectionId, dial, deadline) })
                ? await request.Arrival.WaitAsync(deadline.Token)
                : Lost(stream);
        }
        catch (OperationCanceledException)
        {
            if (!request.TryFail("the dial has ended"))
            {
                // The leg, or the agent's answer, has just arrived.
                return await request.Arrival;
            }

            stream.TrySend(new ResponseStream { Cancel = new Cancel { ConnectionID = request.ConnectionId } });
            throw;
        }
        finally
        {
            pending.Remove(request);
        }
    }

    private Connect Connect(AgentStream stream, string id, Dial dial, Deadline deadline)
    {
        var connect = new Connect
        {
            ConnectionID = id,
            Host = self.ExternalTcp.Host,
            Port = (uint)self.ExternalTcp.Port,
            LocalPort = (uint)dial.Port,
            Deadline = Milliseconds(deadline),
            DialerId = dial.Origin.Id ?? "",
            DialerAddress = dial.Origin.Address?.ToString() ?? "",
            Dialled = dial.Name,
            Keep = stream.Legs is not null,
            TraceParent = DialTrace.ToSend(dial.Origin.TraceParent) ?? "",
        };
        connect.Dialer.AddRange(dial.Origin.Names);
        return connect;
    }

    private static uint Milliseconds(Deadline deadline) => (uint)Math.Max(1, deadline.Remaining.TotalMilliseconds);
}
