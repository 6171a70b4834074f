using System.Globalization;
using System.Net.Sockets;
using Whip.Protocol;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Kept;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Client;

/// <summary>One attempt of a dial, at one broker: a connection, a CONNECT and the answer.</summary>
internal sealed class DialAttempt(HostPort broker, DialConnections connections, Deadline dial)
{
    /// <summary>
    /// For a broker that is not the last one to ask. One that is up completes a handshake in milliseconds, and says every 500 ms that a
    /// dial is pending.
    /// </summary>
    public static readonly TimeSpan SilenceTimeout = TimeSpan.FromSeconds(1);

    private const int MaxReasonBytes = 1024;

    private const int MaxReason = 512;

    private KeptConnection? _connection;
    private string _awaited = "connection to";
    private bool _isHeard;

    /// <param name="request">Its deadline is replaced by what remains of the dial's.</param>
    /// <param name="timeout">For the connection and its handshake together, and then for every head. Infinite for the last broker that is left.</param>
    /// <param name="mayRepeat">After silence on a kept connection a new one to the same broker is tried; after its end one is in any case.</param>
    /// <exception cref="OperationCanceledException">The caller of the dial cancelled it; the connection is reset.</exception>
    public async Task<BrokerAnswer> RunAsync(ConnectRequest request, TimeSpan timeout, bool mayRepeat)
    {
        using var silence = new Deadline(timeout, dial.Time, dial.Token);
        try
        {
            while (true)
            {
                _connection = await connections.ReachAsync(broker, Await, silence.Token).ConfigureAwait(false);
                silence.Restart();
                _awaited = "answer from";
                var asked = request with { Deadline = RemainingForBroker(), Keep = connections.DrawKeep() };
                var answer = await TryAskAsync(_connection, asked, silence).ConfigureAwait(false);
                if (answer is not null && !(answer.IsStale && mayRepeat))
                {
                    return answer;
                }

                connections.Drop(_connection);
                (_isHeard, _awaited) = (false, "connection to");
                silence.Restart();
            }
        }
        catch (OperationCanceledException)
        {
            dial.Parent.ThrowIfCancellationRequested();
            var isSilent = !dial.HasPassed;
            var (outcome, limit) = isSilent ? (DialOutcome.BrokerUnreachable, silence.Limit) : (DialOutcome.DeadlineExceeded, dial.Limit);
            return Failed(outcome, SilentFor(limit)) with { IsSilent = isSilent };
        }
        catch (Exception error) when (error is SocketException or IOException or LegHandshakeException)
        {
            return Failed(DialOutcome.BrokerUnreachable, $"no {_awaited} {broker}: {error.Message}{RefusalHint(error)}");
        }
        finally
        {
            // A reset, unlike an end of stream, cannot be mistaken for a dialer that has only finished sending.
            _connection?.Leg.Abort();
        }
    }

    private void Await(string awaited) => _awaited = awaited;

    /// <returns>Null: a connection that was kept had ended.</returns>
    private async Task<BrokerAnswer?> TryAskAsync(KeptConnection connection, ConnectRequest request, Deadline silence)
    {
        if (!connection.IsReused)
        {
            return await AskAsync(connection, request, silence, silence.Token).ConfigureAwait(false);
        }

        using var stale = new Deadline(KeptLimits.StaleAfter, dial.Time, silence.Token);
        try
        {
            return await AskAsync(connection, request, silence, stale.Token).ConfigureAwait(false) is { IsEnded: false } answer ? answer : null;
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!_isHeard && !silence.Token.IsCancellationRequested)
        {
            connections.Drop(connection);
            return Failed(DialOutcome.BrokerUnreachable, SilentFor(stale.Limit)) with { IsSilent = true, IsStale = true };
        }
    }

    private async Task<BrokerAnswer> AskAsync(KeptConnection connection, ConnectRequest request, Deadline silence, CancellationToken first)
    {
        var leg = connection.Leg;
        await leg.WriteAsync(request.ToBytes(), first).ConfigureAwait(false);
        while (true)
        {
            var awaited = _isHeard ? silence.Token : first;
            var (head, _, problem) = await HeadReader.ReadAsync(leg, ConnectResponseHead.Parse, cancellationToken: awaited).ConfigureAwait(false);
            if (problem is not null)
            {
                return NoDialFront(problem);
            }

            if (head is null)
            {
                return Failed(DialOutcome.BrokerUnreachable, $"{broker} ended the connection without an answer{RefusalHint(null)}") with { IsEnded = true };
            }

            _isHeard = true;
            silence.Restart();
            if (!head.IsInterim)
            {
                return await AnswerAsync(connection, head, request, silence.Token).ConfigureAwait(false);
            }
        }
    }

    private async Task<BrokerAnswer> AnswerAsync(KeptConnection connection, ConnectResponseHead head, ConnectRequest request, CancellationToken silence)
    {
        switch (head.Outcome)
        {
            case var _ when head.Keep is not null && head.Keep != request.Keep:
                return NoDialFront($"it repeats another {ConnectRequest.KeepHeader} than it was sent");
            case DialOutcome.Connected:
                _connection = null;
                return new(DialResult.Connected(head.Keep is null ? connection.Leg : connections.Stream(connection)), _isHeard);
            case DialOutcome.ProtocolError:
            case DialOutcome.Redirected when !request.AcceptsRedirect:
                return NoDialFront($"status {head.Status}");
            default:
                return Failed(head.Outcome, await ReadReasonAsync(connection, head, silence).ConfigureAwait(false)) with { Location = head.Location };
        }
    }

    private async Task<string> ReadReasonAsync(KeptConnection connection, ConnectResponseHead head, CancellationToken silence)
    {
        var (line, isWhole) = await head.ReadReasonAsync(connection.Leg, MaxReasonBytes, silence).ConfigureAwait(false);
        dial.Parent.ThrowIfCancellationRequested();
        if (isWhole && head.Keep is not null)
        {
            _connection = null;
            connections.GiveBack(connection);
        }

        return line.Length > 0 ? line : $"{broker} answered with status {head.Status}";
    }

    /// <summary>A little less than what remains, so that the broker's own 504, which knows what it waited for, arrives in time.</summary>
    private TimeSpan RemainingForBroker()
    {
        var remaining = dial.Remaining;
        return remaining - TimeSpan.FromMilliseconds(Math.Min(250, remaining.TotalMilliseconds / 10));
    }

    private string SilentFor(TimeSpan limit) => $"no {_awaited} {broker} within {limit.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s";

    /// <summary>What else the failure may mean; empty if the broker has answered, or has not seen our certificate.</summary>
    private string RefusalHint(Exception? error) =>
        connections.Identity is not { } identity || _isHeard ? ""
        : error is not null && TlsRefusal.Alert(error) is { } alert ? $"; {alert}"
        : error is LegHandshakeException { IsVerdict: false } ? "; is it the dial port of a broker with TLS?"
        : _connection is not null && error is null or IOException ? $"; {TlsRefusal.Unanswered(identity, dial.Time.GetUtcNow())}, or this is not its dial port"
        : "";

    private BrokerAnswer NoDialFront(string problem) =>
        Failed(DialOutcome.ProtocolError, $"{broker} does not answer as a broker's dial front: {problem}");

    private BrokerAnswer Failed(DialOutcome outcome, string reason) =>
        new(DialResult.Failed(outcome, Printable.Clean(reason, MaxReason)), _isHeard);
}

/// <summary>What one broker answered to a dial.</summary>
/// <param name="Result">The dial's, if it ends here.</param>
/// <param name="IsHeard">The broker sent a head, even if only that the dial is pending.</param>
internal sealed record BrokerAnswer(DialResult Result, bool IsHeard)
{
    /// <summary>It took longer than it was given, though the dial has time left.</summary>
    public bool IsSilent { get; init; }

    /// <summary>It was asked over a connection that was kept, which may be all that is wrong.</summary>
    public bool IsStale { get; init; }

    /// <summary>The connection ended before the answer.</summary>
    public bool IsEnded { get; init; }

    /// <summary>Where a redirect points.</summary>
    public HostPort? Location { get; init; }

    public bool IsRedirect => Result.Outcome == DialOutcome.Redirected;

    /// <summary>The dial ends here. Otherwise the broker is down, drains, is full or cannot tell, and another one may serve the dial.</summary>
    public bool IsFinal => Result.Outcome is not
        (DialOutcome.BrokerUnreachable or DialOutcome.Overloaded or DialOutcome.Unavailable or DialOutcome.NotHolder);

    /// <summary>It is a broker and does its work.</summary>
    public bool IsSound => IsHeard && IsFinal && Result.Outcome != DialOutcome.ProtocolError;
}
