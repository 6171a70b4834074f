using System.Buffers;
using Whip.Protocol;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;

namespace Whip.Agent.Legs;

/// <summary>Answers the Connects of one control stream: refuses, or opens both legs within the deadline and relays.</summary>
internal sealed class ConnectHandler(AgentContext context, LegTargets targets, Func<RequestStream, CancellationToken, ValueTask> send)
{
    // Ours are 32 characters, the original's 36.
    private const int MaxIdLength = 64;

    // The leg to the broker and the one to the service.
    private const int Places = 2;

    private const string Listener = "connects";

    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:");

    private static readonly TimeSpan MaxDeadline = TimeSpan.FromMinutes(1);

    // Each is cancelled when nobody waits for an answer any more.
    private readonly Dictionary<string, CancellationTokenSource> _pending = [];
    private readonly LegOpener _opener = new(context, targets);

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

        if (context.Refusals.Take())
        {
            LegLog.Refused(context.Log, refusal);
        }

        context.LegMetrics.Connect(ConnectOutcome.Refused);
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

    /// <summary>Why the connect is not even tried; null if it may be.</summary>
    private string? Refusal(Connect connect)
    {
        if (!IsId(connect.ConnectionID))
        {
            return "connection id: not one";
        }

        if (!context.Settings.Ports.Contains((int)connect.LocalPort))
        {
            return $"local port {connect.LocalPort}: not published";
        }

        if (!context.Settings.AllowsDialer(connect.Dialer))
        {
            return "dialer: not allowed";
        }

        if (context.Identity?.Denied?.Matches(connect.Dialer, connect.DialerId) == true)
        {
            return "dialer: denied";
        }

        return HostPort.TryCreate(connect.Host, (int)connect.Port, out var leg) && targets.Allows(leg) ? null : "leg: host not allowed";
    }

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

            if (!context.Descriptors.TryTake(Places))
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
        try
        {
            var legs = await OpenAsync(connect, forgotten);
            if (legs.IsOpen)
            {
                context.LegMetrics.Connect(ConnectOutcome.Connected);
                using var denial = context.Identity?.Denied?.Track(connect.Dialer, connect.DialerId, legs.Broker.Abort);
                var result = await RelayAsync(legs, (int)connect.LocalPort);
                if (result is { End: RelayEnd.AReset, BytesAToB: 0 })
                {
                    await RefusedAsync(connect, result.Detail, streamEnded);
                }
            }
            else if (forgotten.IsCancellationRequested)
            {
                context.LegMetrics.Connect(ConnectOutcome.Cancelled);
            }
            else
            {
                LegLog.ConnectFailed(context.Log, legs.Failure, legs.Cause.Message);
                context.LegMetrics.Connect(ConnectOutcome.Failed);
                await FailAsync(connect, legs.Failure, streamEnded);
            }
        }
        catch (OperationCanceledException) when (streamEnded.IsCancellationRequested)
        {
            // The stream that asked is gone, and the answer with it.
        }
        finally
        {
            context.Descriptors.Return(Places);
        }
    }

    private async Task<OpenedLegs> OpenAsync(Connect connect, CancellationTokenSource forgotten)
    {
        using var deadline = new Deadline(DeadlineOf(connect), context.Time, forgotten.Token);
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

    private async Task<RelayResult> RelayAsync(OpenedLegs legs, int localPort)
    {
        context.Work.CountRelays(1);
        context.LegMetrics.RelayStarted(localPort);
        var result = await Relay.RunAsync(legs.Broker!, legs.Local!, context.RelayContext, context.Work.Cut);
        context.LegMetrics.RelayEnded(localPort);
        context.Work.CountRelays(-1);
        LegLog.RelayEnded(context.Log, localPort, result.End, result.BytesAToB, result.BytesBToA, result.Detail);
        return result;
    }

    private ValueTask FailAsync(Connect connect, string message, CancellationToken streamEnded) =>
        send(new RequestStream { ConnectFailed = new ConnectFailed { ConnectionID = connect.ConnectionID, ErrorMessage = message } }, streamEnded);

    /// <summary>An id goes back in a preamble of JSON, where nothing of it may need escaping.</summary>
    private static bool IsId(string id) => id.Length is > 0 and <= MaxIdLength && !id.AsSpan().ContainsAnyExcept(IdCharacters);

    private TimeSpan DeadlineOf(Connect connect) =>
        connect.Deadline == 0 ? context.Limits.DialDeadline : TimeSpan.FromMilliseconds(Math.Min(connect.Deadline, MaxDeadline.TotalMilliseconds));
}
