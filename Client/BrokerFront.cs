using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Client;

/// <summary>The dial front of one broker, as a dialer sees it: a connection and a CONNECT per dial.</summary>
internal sealed class BrokerFront
{
    private const int MaxReasonBytes = 1024;

    // A broker that is up accepts and completes a handshake in milliseconds; one that is not must leave time for the next.
    private static readonly TimeSpan ReachLimit = TimeSpan.FromSeconds(1);

    private readonly string _authority;
    private readonly string _host;
    private readonly int _port;
    private readonly TlsIdentity? _identity;

    public BrokerFront(string authority, TlsIdentity? identity)
    {
        _authority = authority;
        _identity = identity;
        _ = HostPort.TryParse(authority, out _host, out _port);
    }

    /// <summary><see cref="DialOutcome.BrokerUnreachable"/> means that this broker did not answer and another one may be asked.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="caller"/> cancelled; the connection is reset.</exception>
    public async Task<DialResult> DialAsync(ConnectRequest request, DialClock clock, bool isLast, CancellationToken caller)
    {
        Leg? leg = null;
        var awaited = "connection to";
        using var reach = new DialClock(isLast ? Timeout.InfiniteTimeSpan : ReachLimit, clock.Time, clock.Token);
        try
        {
            leg = await Leg.ConnectAsync(_host, _port, reach.Token).ConfigureAwait(false);
            if (_identity is not null)
            {
                awaited = "TLS handshake with";
                await leg.AuthenticateAsClientAsync(_identity, _host, reach.Token).ConfigureAwait(false);
            }

            awaited = "answer from";
            var result = await AskAsync(leg, request with { Deadline = ToldDeadline(clock) }, clock.Token).ConfigureAwait(false);
            leg = result.IsConnected ? null : leg;
            return result;
        }
        catch (OperationCanceledException)
        {
            caller.ThrowIfCancellationRequested();
            var (outcome, limit) = clock.Token.IsCancellationRequested
                ? (DialOutcome.DeadlineExceeded, clock.Limit)
                : (DialOutcome.BrokerUnreachable, reach.Limit);
            return Failed(outcome, $"no {awaited} {_authority} within {limit.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s");
        }
        catch (Exception error) when (error is SocketException or IOException or LegHandshakeException)
        {
            return Failed(DialOutcome.BrokerUnreachable, $"no {awaited} {_authority}: {error.Message}{RefusalHint(leg)}");
        }
        finally
        {
            // A reset, unlike an end of stream, cannot be taken for a dialer that has only finished sending.
            leg?.Abort();
        }
    }

    private async Task<DialResult> AskAsync(Leg leg, ConnectRequest request, CancellationToken cancellationToken)
    {
        await leg.WriteAsync(request.ToBytes(), cancellationToken).ConfigureAwait(false);
        var (head, _, problem) = await HeadReader.ReadAsync(leg, ConnectResponseHead.Parse, cancellationToken: cancellationToken).ConfigureAwait(false);
        if (problem is not null)
        {
            return Failed(DialOutcome.ProtocolError, $"{_authority} does not answer as a broker's dial front: {problem}");
        }

        return head?.Outcome switch
        {
            null => Failed(DialOutcome.BrokerUnreachable, $"{_authority} ended the connection without an answer{RefusalHint(leg)}"),
            DialOutcome.Connected => DialResult.Connected(leg),
            DialOutcome.ProtocolError => Failed(DialOutcome.ProtocolError, $"{_authority} does not answer as a broker's dial front: status {head.Status}"),
            { } outcome => Failed(outcome, await ReadReasonAsync(leg, head, cancellationToken).ConfigureAwait(false)),
        };
    }

    private async Task<string> ReadReasonAsync(Leg leg, ConnectResponseHead head, CancellationToken cancellationToken)
    {
        var body = new byte[Math.Min(head.ContentLength, MaxReasonBytes)];
        var filled = 0;
        try
        {
            filled = await leg.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The status has already said how the dial ended.
        }

        var line = Encoding.Latin1.GetString(body, 0, filled).Split('\n')[0].Trim();
        return line.Length > 0 ? line : $"{_authority} answered with status {head.Status}";
    }

    /// <summary>A little less than what remains, so that the broker's own 504, which knows what it waited for, arrives in time.</summary>
    private static TimeSpan ToldDeadline(DialClock clock)
    {
        var remaining = clock.Remaining;
        return remaining - TimeSpan.FromMilliseconds(Math.Min(250, remaining.TotalMilliseconds / 10));
    }

    /// <summary>In TLS 1.3 the dialer's handshake is over before the broker judges its certificate; a refusal is then a broken connection.</summary>
    private static string RefusalHint(Leg? leg) => leg is { IsTls: true } ? "; the broker may have refused this certificate" : "";

    private static DialResult Failed(DialOutcome outcome, string reason) => DialResult.Failed(outcome, Printable.Clean(reason));
}
