using Whip.Protocol.Connect;

namespace Whip.Broker.Listening;

/// <summary>
/// What the rendezvous and the dial front do with a new connection before it is trusted: check its first byte, run the TLS handshake if the
/// listener has one, and run the opening exchange, all within one deadline. A failure is logged.
/// </summary>
internal sealed class LegGreeter(
    TlsIdentity? tls, ListenerMetrics metrics, WhipLimits limits, DescriptorBudget descriptors, ILogger logger, TimeProvider time)
{
    private const int TlsHandshakeRecord = 0x16;

    private readonly HandshakeSlots _handshakes = HandshakeSlots.OfListener(limits, descriptors, time);
    private readonly LogRations _refusals = new(logger, time);

    /// <summary>
    /// Runs <paramref name="opening"/>, which returns null or a problem, on an authenticated leg. Plain HTTP is answered with
    /// <paramref name="httpHint"/>. False: the leg is refused, and the caller ends it.
    /// </summary>
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
            LogRefused(listener, leg, problem);
            metrics.Rejected(listener, reason);
        }

        return problem is null;
    }

    /// <summary>Writes a line, or counts it if there are many.</summary>
    public void LogRefused(string listener, Leg leg, string problem)
    {
        if (_refusals.Take(listener))
        {
            ListenerLog.LegRefused(logger, listener, leg.RemoteEndPoint, problem);
        }
    }

    /// <summary>Writes an answer, ends the stream and reads a little more: unread bytes make the close a reset, which may overtake the answer.</summary>
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
            // The client has gone, or does not close its side.
        }
    }

    private async Task<string?> AuthenticateAsync(Leg leg, UnauthenticatedGate.Entry entry, string httpHint, CancellationToken deadline)
    {
        var first = await leg.PeekFirstByteAsync(deadline);
        if (first < 0)
        {
            return "it ended before it sent anything";
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

    // Only an HTTP client shows its user the body.
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
