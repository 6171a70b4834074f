using Whip.Protocol;
using Whip.Protocol.Kept;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;

namespace Whip.Agent.Legs;

/// <summary>Answers the Connects of one control stream: refuses, or opens both legs within the deadline and relays.</summary>
internal sealed class ConnectHandler(AgentContext context, LegTargets targets, Func<RequestStream, CancellationToken, ValueTask> send)
{
    private const string Listener = "connects";

    // Each is cancelled when nobody waits for an answer any more.
    private readonly Dictionary<string, CancellationTokenSource> _pending = [];
    private readonly ConnectRules _rules = new(context);
    private readonly LegOpener _opener = new(context, targets);
    private readonly DialRelay _relay = new(context);

    /// <summary>Returns once the connect is under way or its refusal is sent; <paramref name="streamEnded"/> ends only the sending.</summary>
    public async ValueTask StartAsync(Connect connect, CancellationToken streamEnded)
    {
        var refusal = Refusal(connect);
        if (refusal is null)
        {
            var forgotten = CancellationTokenSource.CreateLinkedTokenSource(context.Work.Cut);
            refusal = Admit(connect.ConnectionID, forgotten);
            if (refusal is null)
            {
                context.Work.CountPending(1);
                context.Work.Start(() => RunAsync(connect, forgotten, streamEnded));
                return;
            }

            forgotten.Dispose();
        }

        _rules.Refused(refusal);
        await FailAsync(connect, refusal, streamEnded);
    }

    /// <summary>Closes what a pending connect has opened; a relay ends by the broker's own reset.</summary>
    public void Cancel(Cancel cancel)
    {
        if (cancel.Reason.Length > 0)
        {
            LegLog.LegRefused(context.Log, Printable.Clean(cancel.Reason));
        }

        lock (_pending)
        {
            // What waits for the token ends elsewhere, outside of the lock.
            _ = _pending.GetValueOrDefault(cancel.ConnectionID)?.CancelAsync();
        }
    }

    private string? Refusal(Connect connect) =>
        _rules.Refusal(connect)
        ?? (HostPort.TryCreate(connect.Host, (int)connect.Port, out var leg) && targets.Allows(leg) ? null : "leg: host not allowed");

    private string? Admit(string id, CancellationTokenSource forgotten)
    {
        lock (_pending)
        {
            if (_pending.Count >= context.Limits.PendingDialsPerAgent)
            {
                return "connects: too many pending";
            }

            if (_pending.ContainsKey(id))
            {
                return "connection id: in use";
            }

            if (!context.Descriptors.TryTake(context.Places))
            {
                context.Descriptors.CountRefusal(Listener);
                return "connects: out of descriptors";
            }

            _pending.Add(id, forgotten);
            return null;
        }
    }

    private async Task RunAsync(Connect connect, CancellationTokenSource forgotten, CancellationToken streamEnded)
    {
        OpenedLegs? idle = null;
        try
        {
            idle = await RunFirstAsync(connect, forgotten, streamEnded);
        }
        catch (OperationCanceledException) when (streamEnded.IsCancellationRequested)
        {
            // The stream that asked is gone, and the answer with it.
        }
        finally
        {
            context.Descriptors.Return(context.Places);
        }

        if (idle is { Broker: { } leg, Life: { } life })
        {
            await new KeptLegs(context, _rules, _opener, _relay).ServeAsync(leg, life, streamEnded);
        }
    }

    /// <returns>The leg, if it waits for another dial.</returns>
    private async Task<OpenedLegs?> RunFirstAsync(Connect connect, CancellationTokenSource forgotten, CancellationToken streamEnded)
    {
        var legs = await OpenAsync(connect, forgotten);
        if (legs.IsOpen)
        {
            var framed = connect.Keep && context.Settings.Options.Keep ? new ServingStream(legs.Broker) : null;
            var result = await _relay.RunAsync((WhipStream?)framed ?? legs.Broker, legs.Local, connect);
            if (result is { End: RelayEnd.AReset, BytesAToB: 0 })
            {
                await RefusedAsync(connect, result.Detail, streamEnded);
            }

            return framed is { IsDone: true } ? legs : null;
        }

        if (forgotten.IsCancellationRequested)
        {
            context.LegMetrics.Connect(ConnectOutcome.Cancelled);
        }
        else
        {
            LegLog.ConnectFailed(context.Log, legs.Failure, legs.Cause);
            context.LegMetrics.Connect(ConnectOutcome.Failed);
            await FailAsync(connect, legs.Failure, streamEnded);
        }

        return null;
    }

    private async Task<OpenedLegs> OpenAsync(Connect connect, CancellationTokenSource forgotten)
    {
        using var deadline = new Deadline(_rules.DeadlineOf(connect), context.Time, forgotten.Token);
        try
        {
            return await _opener.OpenAsync(connect, deadline.Token);
        }
        finally
        {
            lock (_pending)
            {
                _pending.Remove(connect.ConnectionID);
                forgotten.Dispose();
            }

            context.Work.CountPending(-1);
        }
    }

    /// <summary>
    /// The broker judges the leg after our side of its opening has ended, so that a leg it refuses ends like one whose dialer has gone. The dial is
    /// told in both cases; the broker ignores it for a dial that has had its leg.
    /// </summary>
    private ValueTask RefusedAsync(Connect connect, string cause, CancellationToken streamEnded)
    {
        const string Failure = "leg: ended by the broker, whose log says why, or by the dialer, before a byte came";
        LegLog.ConnectFailed(context.Log, Failure, Printable.Clean(cause));
        return FailAsync(connect, Failure, streamEnded);
    }

    private ValueTask FailAsync(Connect connect, string message, CancellationToken streamEnded) =>
        send(new RequestStream { ConnectFailed = new ConnectFailed { ConnectionID = connect.ConnectionID, ErrorMessage = message } }, streamEnded);
}
