using Whip.Protocol;
using Whip.Protocol.Kept;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;

namespace Whip.Agent.Legs;

/// <summary>Serves the dials after the first on legs that are kept: one after the other, as their broker asks for them.</summary>
internal sealed class KeptLegs(AgentContext context, ConnectRules rules, LegOpener opener, DialRelay relay)
{
    private const string Listener = "opens";

    /// <summary>Owns the leg, which is idle, and returns when it has ended: by its broker, for its age, or with its control stream.</summary>
    public async Task ServeAsync(Leg leg, ServingLife life, CancellationToken streamEnded)
    {
        var isIdle = true;
        try
        {
            while (isIdle && await WaitAsync(leg, life, streamEnded))
            {
                isIdle = false;
                isIdle = await ServeOneAsync(leg);
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The broker has gone or broken the rules, or the agent stops.
        }
        finally
        {
            if (isIdle)
            {
                // Not a reset, which would take from the broker what it has not read yet of the last dial.
                await leg.DisposeAsync();
            }

            leg.Abort();
        }
    }

    /// <returns>False: the leg is not kept any longer, and to be closed.</returns>
    private async Task<bool> WaitAsync(Leg leg, ServingLife life, CancellationToken streamEnded)
    {
        if (streamEnded.IsCancellationRequested || !life.MayKeep(leg) || context.IdleLegs.TryEnter(leg.Abort) is not { } place)
        {
            context.LegMetrics.Stale();
            return false;
        }

        var (isAsked, hasBroken) = (false, false);
        context.LegMetrics.Kept(1);
        try
        {
            using var silence = new Deadline(life.IdleLimit(leg), context.Time, streamEnded, context.Work.Cut);
            await leg.WaitReadableAsync().WaitAsync(silence.Token);

            // Its broker was judged by what was in force then; it repeats the dial over a new leg.
            isAsked = life.IsCurrent;
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            hasBroken = true;
        }
        catch (OperationCanceledException)
        {
            // It has idled for long enough, or its control stream has ended.
        }

        context.LegMetrics.Kept(-1);
        var isOurs = place.Leave();
        if (!isOurs || !(isAsked || hasBroken))
        {
            context.LegMetrics.Stale();
        }

        return isOurs && isAsked;
    }

    /// <returns>True: the dial is over, and the leg waits for the next.</returns>
    private async Task<bool> ServeOneAsync(Leg leg)
    {
        var serving = new ServingStream(leg);
        using var reading = new Deadline(context.Limits.HandshakeTimeout, context.Time, context.Work.Cut);
        var connect = await serving.ReadOpenAsync(reading.Token);
        context.LegMetrics.Reused();
        if ((rules.Refusal(connect) ?? TakePlaces()) is { } refusal)
        {
            rules.Refused(refusal);
            await RefuseAsync(serving, connect, refusal);
            return true;
        }

        try
        {
            return await ServeAsync(serving, connect);
        }
        finally
        {
            context.Descriptors.Return(context.Places);
        }
    }

    private string? TakePlaces()
    {
        if (context.Descriptors.TryTake(context.Places))
        {
            return null;
        }

        context.Descriptors.CountRefusal(Listener);
        return "connects: out of descriptors";
    }

    /// <inheritdoc cref="ServeOneAsync"/>
    private async Task<bool> ServeAsync(ServingStream serving, Connect connect)
    {
        using var deadline = new Deadline(rules.DeadlineOf(connect), context.Time, context.Work.Cut);
        var opened = await OpenAsync(serving, connect, deadline.Token);
        if (opened.Local is not { } local)
        {
            LegLog.ConnectFailed(context.Log, opened.Failure, opened.Cause);
            context.LegMetrics.Connect(ConnectOutcome.Failed);
            await RefuseAsync(serving, connect, opened.Failure);
            return true;
        }

        try
        {
            await serving.WriteOpenedAsync(deadline.Token);
        }
        catch
        {
            local.Abort();
            context.LegMetrics.Connect(ConnectOutcome.Cancelled);
            throw;
        }

        await relay.RunAsync(serving, local, connect);
        return serving.IsDone;
    }

    /// <summary>
    /// Opens the local connection, and says from time to time that the dial is pending. The broker has nothing to say meanwhile: when the leg can be
    /// read, it has ended or broken it, since its dialer has gone.
    /// </summary>
    /// <exception cref="IOException">It has; nothing is open.</exception>
    private async Task<OpenedLegs> OpenAsync(ServingStream serving, Connect connect, CancellationToken deadline)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(deadline);
        context.Work.CountPending(1);
        var heard = serving.Leg.WaitReadableAsync();
        var opening = opener.OpenLocalAsync(connect, gone.Token);
        try
        {
            for (var pause = KeptLimits.FirstReport; !opening.IsCompleted && !heard.IsCompleted; pause = KeptLimits.NextReport)
            {
                Task either = Task.WhenAny(opening, heard);
                await either.WaitAsync(pause, context.Time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (!opening.IsCompleted && !heard.IsCompleted)
                {
                    await serving.WriteWaitAsync(deadline);
                }
            }

            return heard.IsCompleted ? throw new IOException("the broker has ended the leg, or said more") : await opening;
        }
        catch
        {
            await gone.CancelAsync();
            (await opening).Local?.Abort();
            context.LegMetrics.Connect(ConnectOutcome.Cancelled);
            throw;
        }
        finally
        {
            context.Work.CountPending(-1);
        }
    }

    private async Task RefuseAsync(ServingStream serving, Connect connect, string reason)
    {
        using var deadline = new Deadline(context.Limits.HandshakeTimeout, context.Time, context.Work.Cut);
        await serving.WriteRefusedAsync(new ConnectFailed { ConnectionID = connect.ConnectionID, ErrorMessage = reason }, deadline.Token);
    }
}
