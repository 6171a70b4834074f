using System.Globalization;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Client;

/// <summary>
/// Dials registered names over the dial front of a broker: one TCP connection, plain or mutual TLS, per dial. Thread safe; make
/// one per program. Use it through <see cref="IWhipDialer"/> and <see cref="WhipDialing"/>.
/// </summary>
public sealed class WhipDialer : IWhipDialer
{
    private readonly BrokerFront[] _brokers;
    private readonly TimeProvider _time;
    private int _lastAnswered;

    /// <summary>Reads the certificate files of <see cref="WhipDialerOptions.Tls"/> unless TLS is off; connects to nothing yet.</summary>
    /// <exception cref="ArgumentException">The options name no broker, or one that is not <c>HOST:PORT</c>.</exception>
    /// <exception cref="TlsConfigurationException">A certificate, key or CA file cannot be used.</exception>
    public WhipDialer(WhipDialerOptions options)
        : this(options, options?.Tls.Enabled == true ? TlsIdentity.Load(options.Tls) : null, TimeProvider.System)
    {
    }

    internal WhipDialer(WhipDialerOptions options, TlsIdentity? identity, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.FindProblem() is { } problem)
        {
            throw new ArgumentException(problem, nameof(options));
        }

        _brokers = [.. options.Brokers.Select(broker => new BrokerFront(broker, identity))];
        _time = time;
    }

    /// <inheritdoc/>
    public async ValueTask<DialResult> TryDialAsync(DialRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (FindProblem(request, out var host) is { } problem)
        {
            return DialResult.Failed(DialOutcome.BadRequest, problem);
        }

        var connect = new ConnectRequest(host, request.Port) { Wait = request.Wait > TimeSpan.Zero ? request.Wait : null };
        var limit = request.Deadline < ConnectRequest.MaxDeadline ? request.Deadline + request.Wait : ConnectRequest.MaxDeadline;
        using var clock = new DialClock(limit, _time, cancellationToken);
        return await DialBrokersAsync(connect, clock, cancellationToken).ConfigureAwait(false);
    }

    private async Task<DialResult> DialBrokersAsync(ConnectRequest connect, DialClock clock, CancellationToken caller)
    {
        var first = Volatile.Read(ref _lastAnswered);
        var unreachable = new List<string>();
        for (var i = 0; i < _brokers.Length; i++)
        {
            var at = (first + i) % _brokers.Length;
            var result = await _brokers[at].DialAsync(connect, clock, isLast: i == _brokers.Length - 1, caller).ConfigureAwait(false);
            switch (result.Outcome)
            {
                case DialOutcome.BrokerUnreachable:
                    unreachable.Add(result.Reason);
                    continue;
                case DialOutcome.DeadlineExceeded:
                    return result;
                default:
                    // The next dial begins here, and does not wait for a dead broker again.
                    Volatile.Write(ref _lastAnswered, at);
                    return result;
            }
        }

        return DialResult.Failed(DialOutcome.BrokerUnreachable, string.Join("; ", unreachable));
    }

    private static string? FindProblem(DialRequest request, out string host)
    {
        if (!DnsName.TryNormalize(request.Host, out host))
        {
            return $"\"{Printable.Clean(request.Host)}\" is not a DNS name";
        }

        return request.Port is < 1 or > 65535 ? $"port {request.Port} is not 1 to 65535"
            : request.Deadline <= TimeSpan.Zero ? "the deadline must be longer than zero"
            : request.Wait < TimeSpan.Zero || request.Wait > ConnectRequest.MaxWait
                ? $"the wait must be 0 to {ConnectRequest.MaxWait.TotalSeconds.ToString(CultureInfo.InvariantCulture)} seconds"
            : null;
    }
}
