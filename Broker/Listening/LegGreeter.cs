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
    /// Runs <paramref name="opening"/>, which returns null or a problem, on an authenticated leg. Plain text at a TLS port is answered, if it is of a
    /// protocol with answers. A leg that is not admitted is ended by the caller.
    /// </summary>
    public async Task<Greeting> GreetAsync(
        Leg leg,
        UnauthenticatedGate.Entry entry,
        PortKind port,
        Func<Leg, CancellationToken, Task<string?>> opening,
        TimeSpan timeout,
        CancellationToken stopping)
    {
        using var deadline = new Deadline(timeout, time, stopping);
        string? problem;
        var (reason, isCertificate) = ("refused", false);
        try
        {
            problem = await AuthenticateAsync(leg, entry, port, deadline.Token) ?? await opening(leg, deadline.Token);
        }
        catch (OperationCanceledException)
        {
            problem = stopping.IsCancellationRequested ? "the broker stops" : $"silent or slow for {timeout.TotalSeconds:0.#} s";
            reason = "timeout";
        }
        catch (Exception error) when (error is LegHandshakeException or IOException or ObjectDisposedException)
        {
            problem = error is LegHandshakeException ? error.Message : "the connection broke";
            isCertificate = error is LegHandshakeException { IsVerdict: true };
        }

        if (problem is null)
        {
            metrics.Admitted(port.Name);
        }
        else if (!entry.IsEvicted)
        {
            LogRefused(port.Name, leg, problem);
            metrics.Rejected(port.Name, reason);
        }

        return new Greeting(problem is null, isCertificate ? problem : null);
    }

    /// <summary>Writes a line, or counts it if there are many.</summary>
    public void LogRefused(string listener, Leg leg, string problem)
    {
        if (_refusals.Take(listener))
        {
            ListenerLog.LegRefused(logger, listener, leg.RemoteEndPoint, problem);
        }
    }

    /// <summary>Looks who has come to the wrong port, tells it, and returns the problem with what the log says of it.</summary>
    /// <exception cref="IOException">The leg broke.</exception>
    public static async Task<string> ExplainAsync(Leg leg, PortKind port, string problem, bool wantsTls, CancellationToken deadline)
    {
        var visitor = await WrongPort.LookAsync(leg, port, deadline);
        await WrongPort.TellAsync(leg, visitor, port.Hint(visitor, wantsTls), deadline);
        return visitor == Visitor.Unknown ? problem : $"{problem}: {port.Reason(visitor)}";
    }

    private async Task<string?> AuthenticateAsync(Leg leg, UnauthenticatedGate.Entry entry, PortKind port, CancellationToken deadline)
    {
        var first = await leg.PeekFirstByteAsync(deadline);
        if (first < 0)
        {
            return "it ended before it sent anything";
        }

        var speaksTls = first == TlsHandshakeRecord;
        if (speaksTls && tls is null)
        {
            return "TLS spoken to a plain port";
        }

        if (tls is not null && !speaksTls)
        {
            return await ExplainAsync(leg, port, "plain text spoken to a TLS port", wantsTls: true, deadline);
        }

        if (tls is not null)
        {
            await _handshakes.RunAsync(entry, () => leg.AuthenticateAsServerAsync(tls, PeerRole.Client, deadline), deadline);
        }

        return null;
    }
}

/// <summary>What became of a new connection.</summary>
/// <param name="IsAdmitted">It is authenticated, and the opening exchange is done.</param>
/// <param name="RefusedCertificate">Why the peer's certificate was refused; null if it was not.</param>
internal readonly record struct Greeting(bool IsAdmitted, string? RefusedCertificate);
