using System.Buffers;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;

namespace Whip.Agent.Legs;

/// <summary>Answers the Connects of one control stream: refuses, or opens both legs within the deadline and relays.</summary>
internal sealed class ConnectHandler(AgentContext context, LegTargets targets, Func<RequestStream, CancellationToken, ValueTask> send)
{
    // Ours are 32 characters, the original's 36.
    private const int MaxIdLength = 64;

    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:");

    private static readonly TimeSpan MaxDeadline = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, PendingConnect> _pending = [];
    private readonly LegOpener _opener = new(context, targets);

    /// <summary>Returns once the connect is under way or its refusal is sent; <paramref name="streamEnded"/> ends only the sending.</summary>
    public async ValueTask StartAsync(Connect connect, CancellationToken streamEnded)
    {
        var refusal = Refusal(connect);
        if (refusal is null)
        {
            var pending = new PendingConnect(DeadlineOf(connect), context.Time, context.Work.Cut);
            refusal = Admit(connect.ConnectionID, pending);
            if (refusal is null)
            {
                context.Work.CountPending(1);
                context.Work.Start(() => RunAsync(connect, pending, streamEnded));
                return;
            }

            pending.Dispose();
        }

        LegLog.Refused(context.Log, refusal);
        context.LegMetrics.Connect(ConnectOutcome.Refused);
        await FailAsync(connect, refusal, streamEnded);
    }

    /// <summary>Closes what a pending connect has opened; a relay ends by the broker's own reset.</summary>
    public void Cancel(string connectionId)
    {
        lock (_pending)
        {
            if (_pending.TryGetValue(connectionId, out var pending))
            {
                pending.Forget();
            }
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

        return targets.Allows(connect.Host, (int)connect.Port) ? null : "leg: host not allowed";
    }

    private string? Admit(string id, PendingConnect pending)
    {
        lock (_pending)
        {
            return _pending.Count >= context.Limits.PendingDialsPerAgent ? "connects: too many pending"
                : _pending.TryAdd(id, pending) ? null
                : "connection id: in use";
        }
    }

    private async Task RunAsync(Connect connect, PendingConnect pending, CancellationToken streamEnded)
    {
        try
        {
            var legs = await OpenAsync(connect, pending);
            if (legs.IsOpen)
            {
                context.LegMetrics.Connect(ConnectOutcome.Connected);
                await RelayAsync(legs, (int)connect.LocalPort);
            }
            else if (pending.IsForgotten)
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
    }

    private async Task<OpenedLegs> OpenAsync(Connect connect, PendingConnect pending)
    {
        try
        {
            return await _opener.OpenAsync(connect, pending.Token);
        }
        finally
        {
            lock (_pending)
            {
                _pending.Remove(connect.ConnectionID);
                pending.Dispose();
            }

            context.Work.CountPending(-1);
        }
    }

    private async Task RelayAsync(OpenedLegs legs, int localPort)
    {
        context.Work.CountRelays(1);
        context.LegMetrics.RelayStarted(localPort);
        var result = await Relay.RunAsync(legs.Broker!, legs.Local!, context.RelayContext, context.Work.Cut);
        context.LegMetrics.RelayEnded(localPort);
        context.Work.CountRelays(-1);
        LegLog.RelayEnded(context.Log, localPort, result.End, result.BytesAToB, result.BytesBToA, result.Detail);
    }

    private ValueTask FailAsync(Connect connect, string message, CancellationToken streamEnded) =>
        send(new RequestStream { ConnectFailed = new ConnectFailed { ConnectionID = connect.ConnectionID, ErrorMessage = message } }, streamEnded);

    /// <summary>An id goes back in a preamble of JSON, where nothing of it may need escaping.</summary>
    private static bool IsId(string id) => id.Length is > 0 and <= MaxIdLength && !id.AsSpan().ContainsAnyExcept(IdCharacters);

    private TimeSpan DeadlineOf(Connect connect) =>
        connect.Deadline == 0 ? context.Limits.DialDeadline : TimeSpan.FromMilliseconds(Math.Min(connect.Deadline, MaxDeadline.TotalMilliseconds));
}
