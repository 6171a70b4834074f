using System.Globalization;
using System.Net.Sockets;
using Whip.Protocol;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Kept;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;
using Whip.Protocol.Via;

namespace Whip.Client;

/// <summary>One attempt of a dial, at one broker: a connection, a CONNECT and the answer.</summary>
internal sealed class DialAttempt(KeptKey front, DialConnections connections, Deadline dial)
{
    /// <summary>
    /// For a broker that is not the last one to ask. One that is up completes a handshake in milliseconds, and says every 500 ms that a
    /// dial is pending.
    /// </summary>
    public static readonly TimeSpan SilenceTimeout = TimeSpan.FromSeconds(1);

    private const int MaxReason = 512;

    /// <param name="request">Its deadline is replaced by what remains of the dial's.</param>
    /// <param name="timeout">For the connection and its handshake together, and then for every head. Infinite for the last broker that is left.</param>
    /// <param name="mayRepeat">After silence on a kept connection a new one to the same broker is tried; after its end one is in any case.</param>
    /// <exception cref="OperationCanceledException">The caller of the dial cancelled it; the connection is reset.</exception>
    public async Task<BrokerAnswer> RunAsync(ConnectRequest request, TimeSpan timeout, bool mayRepeat)
    {
        using var phase = DialTrace.Phase("ask")?.SetTag("whip.broker", front.Address.ToString());
        using var silence = new Deadline(timeout, dial.Time, dial.Token);
        var question = new FrontQuestion(front, connections, silence.Token, silence.Restart);
        try
        {
            var answer = await question.AskAsync(Request, mayRepeat).ConfigureAwait(false);
            if (!answer.IsConnected)
            {
                dial.Parent.ThrowIfCancellationRequested();
            }

            return Answer(question, answer);
        }
        catch (OperationCanceledException)
        {
            dial.Parent.ThrowIfCancellationRequested();
            var isSilent = !dial.HasPassed;
            var (outcome, limit) = isSilent ? (DialOutcome.BrokerUnreachable, silence.Limit) : (DialOutcome.DeadlineExceeded, dial.Limit);
            return Failed(question, outcome, SilentFor(question, limit)) with { IsSilent = isSilent };
        }
        catch (ProxyException error)
        {
            return Failed(question, DialOutcome.BrokerUnreachable, $"no connection to {front.Address}: {error.Message}");
        }
        catch (Exception error) when (error is SocketException or IOException or LegHandshakeException)
        {
            return Failed(question, DialOutcome.BrokerUnreachable, $"no {question.Awaited} {front.Address}: {error.Message}{RefusalHint(question, error)}");
        }

        ConnectRequest Request() => request with { Deadline = RemainingForBroker(), TraceParent = DialTrace.ToSend(request.TraceParent) };
    }

    private BrokerAnswer Answer(FrontQuestion question, FrontAnswer answer)
    {
        if (answer.Stream is { } stream)
        {
            return new(DialResult.Connected(stream), question.IsHeard);
        }

        if (answer.IsStale)
        {
            return Failed(question, DialOutcome.BrokerUnreachable, SilentFor(question, KeptLimits.StaleAfter)) with { IsSilent = true };
        }

        if (answer.Problem is { } problem)
        {
            return Failed(question, DialOutcome.ProtocolError, $"{front.Address} does not answer as a broker's dial front: {problem}");
        }

        if (answer.Head is not { } head)
        {
            return Failed(question, DialOutcome.BrokerUnreachable, $"{front.Address} ended the connection without an answer{RefusalHint(question, null)}");
        }

        var reason = answer.Reason.Length > 0 ? answer.Reason : $"{front.Address} answered with status {head.Status}";
        return Failed(question, head.Outcome, reason) with { Location = head.Location };
    }

    /// <summary>A little less than what remains, so that the broker's own 504, which knows what it waited for, arrives in time.</summary>
    private TimeSpan RemainingForBroker()
    {
        var remaining = dial.Remaining;
        return remaining - TimeSpan.FromMilliseconds(Math.Min(250, remaining.TotalMilliseconds / 10));
    }

    private string SilentFor(FrontQuestion question, TimeSpan limit) =>
        $"no {question.Awaited} {front.Address} within {limit.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s";

    /// <summary>What else the failure may mean; empty if the broker has answered, or has not seen our certificate.</summary>
    private string RefusalHint(FrontQuestion question, Exception? error) =>
        connections.Identity is not { } identity || question.IsHeard ? ""
        : error is not null && TlsRefusal.Alert(error) is { } alert ? $"; {alert}"
        : error is LegHandshakeException { IsVerdict: false } ? "; is it the dial port of a broker with TLS?"
        : question.HasConnected && error is null or IOException ? $"; {TlsRefusal.Unanswered(identity, dial.Time.GetUtcNow())}, or this is not its dial port"
        : "";

    private static BrokerAnswer Failed(FrontQuestion question, DialOutcome outcome, string reason) =>
        new(DialResult.Failed(outcome, Printable.Clean(reason, MaxReason)), question.IsHeard);
}

/// <summary>What one broker answered to a dial.</summary>
/// <param name="Result">The dial's, if it ends here.</param>
/// <param name="IsHeard">The broker sent a head, even if only that the dial is pending.</param>
internal sealed record BrokerAnswer(DialResult Result, bool IsHeard)
{
    /// <summary>It took longer than it was given, though the dial has time left.</summary>
    public bool IsSilent { get; init; }

    /// <summary>Where a redirect points.</summary>
    public HostPort? Location { get; init; }

    public bool IsRedirect => Result.Outcome == DialOutcome.Redirected;

    /// <summary>The dial ends here. Otherwise the broker is down, drains, is full or cannot tell, and another one may serve the dial.</summary>
    public bool IsFinal => Result.Outcome is not
        (DialOutcome.BrokerUnreachable or DialOutcome.Overloaded or DialOutcome.Unavailable or DialOutcome.NotHolder);

    /// <summary>It is a broker and does its work.</summary>
    public bool IsSound => IsHeard && IsFinal && Result.Outcome != DialOutcome.ProtocolError;
}
