using Microsoft.Extensions.Logging;
using Whip.Hosting;
using Whip.Hosting.Listening;
using Whip.Protocol;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Broker.Listening;

/// <summary>
/// What every raw listener does with a new connection before anybody trusts it: look at the first byte, do TLS if that is what
/// the listener speaks, and run the opening exchange, all within one deadline and with a log line when it fails.
/// </summary>
internal sealed class LegGreeter(TlsIdentity? tls, ListenerMetrics metrics, WhipLimits limits, ILogger logger, TimeProvider time)
{
    private const int TlsHandshakeRecord = 0x16;

    private readonly HandshakeSlots _handshakes = new(limits.HandshakesPerCore * Environment.ProcessorCount, HandshakeSlots.ListenerTurn, time);

    /// <summary>
    /// Runs <paramref name="opening"/> on a leg that is authenticated if the listener asks for it. It returns null when all is
    /// well, else the problem. False: the leg is of no use and the caller ends it.
    /// </summary>
    /// <param name="leg">Just accepted.</param>
    /// <param name="entry">Its place at the gate, whose eviction has a log line of its own.</param>
    /// <param name="listener">Its name in the log and in metrics.</param>
    /// <param name="httpHint">The answer to plain HTTP that does not belong here.</param>
    /// <param name="opening">The exchange before the leg is trusted; its token is the deadline.</param>
    /// <param name="timeout">For all of it.</param>
    /// <param name="stopping">Cancelled when the listener ends.</param>
    public async Task<bool> GreetAsync(
        Leg leg,
        UnauthenticatedGate.Entry entry,
        string listener,
        string httpHint,
        Func<Leg, CancellationToken, Task<string?>> opening,
        TimeSpan timeout,
        CancellationToken stopping)
    {
        using var deadline = new Deadline(timeout, time, stopping);
        string? problem;
        var reason = "refused";
        try
        {
            problem = await AuthenticateAsync(leg, entry, httpHint, deadline.Token) ?? await opening(leg, deadline.Token);
        }
        catch (OperationCanceledException)
        {
            problem = stopping.IsCancellationRequested ? "the broker stops" : $"silent or slow for {timeout.TotalSeconds:0.#} s";
            reason = "timeout";
        }
        catch (Exception error) when (error is LegHandshakeException or IOException or ObjectDisposedException)
        {
            problem = error is LegHandshakeException ? error.Message : "the connection broke";
        }

        if (problem is not null && !entry.IsEvicted)
        {
            ListenerLog.LegRefused(logger, listener, leg.RemoteEndPoint, problem);
            metrics.Rejected(listener, reason);
        }

        return problem is null;
    }

    /// <summary>
    /// Says an answer, ends the stream, and reads on for a moment: unread bytes would turn the close into a reset, which may
    /// overtake the answer. What becomes of it is the client's affair.
    /// </summary>
    public static async Task AnswerAsync(Leg leg, ConnectResponse answer, CancellationToken deadline)
    {
        try
        {
            await leg.WriteAsync(answer.ToBytes(), deadline);
            await leg.CompleteWritesAsync(deadline);
            var scratch = new byte[4096];
            for (var reads = 0; reads < 8 && await leg.ReadAsync(scratch, deadline) > 0; reads++)
            {
            }

            await leg.DisposeAsync();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The client is gone, or stays although it has its answer.
        }
    }

    private async Task<string?> AuthenticateAsync(Leg leg, UnauthenticatedGate.Entry entry, string httpHint, CancellationToken deadline)
    {
        var first = await leg.PeekFirstByteAsync(deadline);
        if (first < 0)
        {
            return "it ended before it said anything";
        }

        var speaksTls = first == TlsHandshakeRecord;
        if (speaksTls != (tls is not null))
        {
            return await ExplainAsync(leg, first, speaksTls ? "TLS spoken to a plain port" : "plain text spoken to a TLS port", httpHint, deadline);
        }

        if (tls is null)
        {
            return char.IsAsciiLetterUpper((char)first) && httpHint.Length > 0
                ? await ExplainAsync(leg, first, "HTTP spoken to the wrong port", httpHint, deadline)
                : null;
        }

        await _handshakes.RunAsync(entry, () => leg.AuthenticateAsServerAsync(tls, PeerRole.Client, deadline), deadline);
        return null;
    }

    // An HTTP client shows its user the body; to anything else there is nothing to say.
    private static async Task<string> ExplainAsync(Leg leg, int first, string problem, string httpHint, CancellationToken deadline)
    {
        if (char.IsAsciiLetterUpper((char)first))
        {
            var hint = httpHint.Length > 0 ? httpHint : "this port speaks TLS: use an https proxy URL and a client certificate";
            await AnswerAsync(leg, new ConnectResponse(DialOutcome.BadRequest, hint), deadline);
        }

        return problem;
    }
}
