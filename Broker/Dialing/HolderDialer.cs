using System.Net.Sockets;
using Whip.Grains.Members;
using Whip.Protocol.Connect;
using Whip.Protocol.Kept;

namespace Whip.Broker.Dialing;

/// <summary>Forwards a dial to the broker that holds the agent's stream.</summary>
internal sealed class HolderDialer(string brokerId, TlsIdentity? tls, HolderConnections connections, TimeProvider time)
{
    /// <summary>
    /// One attempt at one holder. <see cref="DialOutcome.BrokerUnreachable"/>: it did not answer in <paramref name="timeout"/>, or became suspect;
    /// <see cref="DialOutcome.NotHolder"/>: it answered that it has no stream of the name; any other is its verdict on the dial.
    /// </summary>
    /// <exception cref="OperationCanceledException">The dial as a whole has ended; the holder sees its connection reset.</exception>
    public async Task<DialResult> DialAsync(
        BrokerMember holder, Dial dial, TimeSpan timeout, CancellationToken suspected, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(timeout, time, cancellationToken, suspected);
        dial.Holders ??= connections.ForDial();
        var question = new FrontQuestion(connections.FrontOf(holder), dial.Holders, deadline.Token);
        FrontAnswer? answer = null;
        try
        {
            answer = await question.AskAsync(() => Request(dial, deadline.Remaining), mayRepeat: true);
            if (!answer.IsConnected)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            return Result(holder, answer);
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Unreachable(holder, suspected.IsCancellationRequested ? "it has become suspect" : $"no answer within {timeout.TotalSeconds:0.#} s");
        }
        catch (Exception error) when (error is SocketException or IOException or LegHandshakeException)
        {
            return Unreachable(holder, error.Message);
        }
        finally
        {
            connections.Asked(answer?.IsReused == true, question.WasStale);
        }
    }

    private DialResult Result(BrokerMember holder, FrontAnswer answer) =>
        answer.Stream is { } stream ? DialResult.Connected(stream)
        : answer.Problem is { } problem ? Unreachable(holder, problem)
        : answer.Head is { } head ? DialResult.Failed(head.Outcome, Printable.Clean(answer.Reason))
        : Unreachable(holder, $"it ended the connection without an answer{(tls is null ? "" : "; " + TlsRefusal.Unanswered(tls, time.GetUtcNow()))}");

    private static DialResult Unreachable(BrokerMember holder, string problem) =>
        DialResult.Failed(DialOutcome.BrokerUnreachable, Printable.Clean($"broker {holder.Id} at {holder.ExternalDial} does not answer: {problem}"));

    private ConnectRequest Request(Dial dial, TimeSpan remaining) => new(dial.Target)
    {
        // Less than this attempt has, so that the holder's own refusal, which names the reason, comes in time.
        Deadline = remaining * 0.9,

        // A connection that was kept and says nothing is taken for stale.
        AcceptsProgress = true,
        Forwarded = brokerId,
        DialerNames = tls is null ? null : dial.Origin.Names,
        DialerId = tls is null ? null : dial.Origin.Id,
        DialerAddress = tls is null ? null : dial.Origin.Address,
        Zone = dial.Origin.Zone.Length > 0 ? dial.Origin.Zone : null,
        TraceParent = DialTrace.ToSend(dial.Origin.TraceParent),
    };
}
