using System.Globalization;
using System.Net.Sockets;
using Whip.Protocol;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Client;

/// <summary>One attempt of a dial, at one broker: a connection, a CONNECT and the answer.</summary>
internal sealed class DialAttempt(HostPort broker, TlsIdentity? identity, Connector connector, Deadline dial)
{
    /// <summary>
    /// For a broker that is not the last one to ask. One that is up completes a handshake in milliseconds, and says every 500 ms that a
    /// dial is pending.
    /// </summary>
    public static readonly TimeSpan SilenceTimeout = TimeSpan.FromSeconds(1);

    private const int MaxReasonBytes = 1024;

    private Leg? _leg;
    private string _awaited = "connection to";
    private bool _isHeard;

    /// <param name="request">Its deadline is replaced by what remains of the dial's.</param>
    /// <param name="timeout">For the connection and its handshake together, and then for every head.</param>
    /// <exception cref="OperationCanceledException">The caller of the dial cancelled it; the connection is reset.</exception>
    public async Task<BrokerAnswer> RunAsync(ConnectRequest request, TimeSpan timeout)
    {
        using var silence = new Deadline(timeout, dial.Time, dial.Token);
        try
        {
            await ReachAsync(silence.Token).ConfigureAwait(false);
            silence.Restart();
            _awaited = "answer from";
            return await AskAsync(_leg!, request with { Deadline = RemainingForBroker() }, silence).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            dial.Parent.ThrowIfCancellationRequested();
            var isSilent = !dial.HasPassed;
            var (outcome, limit) = isSilent ? (DialOutcome.BrokerUnreachable, silence.Limit) : (DialOutcome.DeadlineExceeded, dial.Limit);
            var reason = $"no {_awaited} {broker} within {limit.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s";
            return Failed(outcome, reason) with { IsSilent = isSilent };
        }
        catch (Exception error) when (error is SocketException or IOException or LegHandshakeException)
        {
            var isEnded = error is LegHandshakeException && error.Message.Contains("TLS handshake", StringComparison.Ordinal);
            var hint = isEnded ? "; is it the dial port of a broker with TLS?" : RefusalHint();
            return Failed(DialOutcome.BrokerUnreachable, $"no {_awaited} {broker}: {error.Message}{hint}");
        }
        finally
        {
            // A reset, unlike an end of stream, cannot be mistaken for a dialer that has only finished sending.
            _leg?.Abort();
        }
    }

    private async Task ReachAsync(CancellationToken cancellationToken)
    {
        _leg = await connector.ConnectAsync(broker, cancellationToken).ConfigureAwait(false);
        if (identity is not null)
        {
            _awaited = "TLS handshake with";
            await _leg.AuthenticateAsClientAsync(identity, broker.Host, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<BrokerAnswer> AskAsync(Leg leg, ConnectRequest request, Deadline silence)
    {
        await leg.WriteAsync(request.ToBytes(), silence.Token).ConfigureAwait(false);
        while (true)
        {
            var (head, _, problem) = await HeadReader.ReadAsync(leg, ConnectResponseHead.Parse, cancellationToken: silence.Token).ConfigureAwait(false);
            if (problem is not null)
            {
                return NoDialFront(problem);
            }

            if (head is null)
            {
                return Failed(DialOutcome.BrokerUnreachable, $"{broker} ended the connection without an answer{RefusalHint()}");
            }

            _isHeard = true;
            silence.Restart();
            if (!head.IsInterim)
            {
                return await AnswerAsync(leg, head, request, silence.Token).ConfigureAwait(false);
            }
        }
    }

    private async Task<BrokerAnswer> AnswerAsync(Leg leg, ConnectResponseHead head, ConnectRequest request, CancellationToken silence)
    {
        switch (head.Outcome)
        {
            case DialOutcome.Connected:
                _leg = null;
                return new(DialResult.Connected(leg), _isHeard);
            case DialOutcome.ProtocolError:
            case DialOutcome.Redirected when !request.AcceptsRedirect:
                return NoDialFront($"status {head.Status}");
            default:
                return Failed(head.Outcome, await ReadReasonAsync(leg, head, silence).ConfigureAwait(false)) with { Location = head.Location };
        }
    }

    private async Task<string> ReadReasonAsync(Leg leg, ConnectResponseHead head, CancellationToken silence)
    {
        var line = await head.ReadReasonAsync(leg, MaxReasonBytes, silence).ConfigureAwait(false);
        dial.Parent.ThrowIfCancellationRequested();
        return line.Length > 0 ? line : $"{broker} answered with status {head.Status}";
    }

    /// <summary>A little less than what remains, so that the broker's own 504, which knows what it waited for, arrives in time.</summary>
    private TimeSpan RemainingForBroker()
    {
        var remaining = dial.Remaining;
        return remaining - TimeSpan.FromMilliseconds(Math.Min(250, remaining.TotalMilliseconds / 10));
    }

    /// <summary>In TLS 1.3 the dialer's handshake has ended before the broker judges its certificate; a refusal is then a broken connection.</summary>
    private string RefusalHint() => _leg is { IsTls: true } && !_isHeard ? "; the broker may have refused this certificate, or this is not its dial port" : "";

    private BrokerAnswer NoDialFront(string problem) =>
        Failed(DialOutcome.ProtocolError, $"{broker} does not answer as a broker's dial front: {problem}");

    private BrokerAnswer Failed(DialOutcome outcome, string reason) => new(DialResult.Failed(outcome, Printable.Clean(reason)), _isHeard);
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

    /// <summary>The dial ends here. Otherwise the broker is down, drains or is full, and another one may serve the dial.</summary>
    public bool IsFinal => Result.Outcome is not (DialOutcome.BrokerUnreachable or DialOutcome.Overloaded or DialOutcome.NotHolder);

    /// <summary>It is a broker and does its work.</summary>
    public bool IsSound => IsHeard && IsFinal && Result.Outcome != DialOutcome.ProtocolError;
}
