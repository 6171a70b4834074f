using System.Diagnostics;
using System.Globalization;
using Whip.Protocol;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Kept;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;
using Whip.Protocol.Via;

namespace Whip.Client;

/// <summary>
/// Dials registered names over the dial front of a broker, plain or mutual TLS: one dial at a time on a connection, which is kept for the next. Thread
/// safe; make one per program. Use it through <see cref="IWhipDialer"/> and <see cref="WhipDialing"/>.
/// </summary>
/// <remarks>A dial goes to another broker only as long as no broker has answered that it is connected or why it failed.</remarks>
public sealed class WhipDialer : IWhipDialer, IDisposable
{
    private readonly HostPort[] _brokers;
    private readonly BrokerChoice _choice;
    private readonly Connector _connector;
    private readonly bool _followRedirects;
    private readonly TlsIdentity? _identity;
    private readonly KeptPool? _pool;
    private readonly bool _looksAtFiles;
    private readonly Redirects _redirects;
    private readonly TimeProvider _time;
    private readonly WayOut _via;

    /// <summary>Reads the certificate files of <see cref="WhipDialerOptions.Tls"/> unless TLS is off; connects to nothing yet.</summary>
    /// <exception cref="WhipOptionException">
    /// No broker is named, one is not <c>HOST:PORT</c>, or the proxy, a certificate, a key or a CA file cannot be used.
    /// </exception>
    public WhipDialer(WhipDialerOptions options)
        : this(options, TimeProvider.System)
    {
    }

    internal WhipDialer(WhipDialerOptions options, TimeProvider time, IKeptPlaces? places = null)
        : this(options, LoadIdentity(options, time), time, Random.Shared.Next(options.Brokers.Count), places: places) => _looksAtFiles = true;

    /// <summary>For a program that looks at the files of <paramref name="identity"/> itself, and logs what has changed.</summary>
    internal WhipDialer(
        WhipDialerOptions options, TlsIdentity? identity, TimeProvider time, int first, HostResolver? resolve = null, IKeptPlaces? places = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _brokers = options.ParseBrokers();
        _choice = new BrokerChoice(_brokers.Length, first, time);
        _followRedirects = options.FollowRedirects;
        _identity = identity;
        _connector = new Connector(time, new LegWatch(time), resolve);
        _pool = options.Keep ? new KeptPool(identity, time, places) : null;
        _via = WayOut.Of(options.Via);
        _redirects = new Redirects(_via, time);
        _time = time;
    }

    /// <summary>Connections that wait for the next dial.</summary>
    internal int Kept => _pool?.Count ?? 0;

    /// <summary>Ends the connections that wait for the next dial, and keeps none from now on. Streams that it has given are their users'.</summary>
    public void Dispose() => _pool?.Close();

    /// <inheritdoc/>
    public async ValueTask<DialResult> TryDialAsync(DialRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (FindProblem(request, out var target) is { } problem)
        {
            return DialResult.Failed(DialOutcome.BadRequest, problem);
        }

        using var span = DialTrace.Begin("dial", ActivityKind.Client, target);
        var connect = new ConnectRequest(target)
        {
            Wait = request.Wait > TimeSpan.Zero ? request.Wait : null,
            AcceptsProgress = true,
            AcceptsRedirect = _followRedirects,
            TraceParent = DialTrace.ToSend(),
        };
        var limit = request.Deadline < ConnectRequest.MaxDeadline ? request.Deadline + request.Wait : ConnectRequest.MaxDeadline;
        if (_looksAtFiles)
        {
            _identity?.LookAtAll();
        }

        using var dial = new Deadline(limit, _time, cancellationToken);
        var connections = new DialConnections(_identity, ConnectAsync, _pool, _time);
        var result = await DialBrokersAsync(connect, connections, dial).ConfigureAwait(false);
        span.Ended(result.Outcome, result.Reason);
        return result;
    }

    private async Task<DialResult> DialBrokersAsync(ConnectRequest connect, DialConnections connections, Deadline dial)
    {
        var tried = new bool[_brokers.Length];
        var unreachable = new string?[_brokers.Length];
        List<int> silent = [];
        DialResult? refusal = null;
        do
        {
            // Brokers that were only silent are retried when no other is left: they may be busy, not dead.
            silent.ForEach(at => tried[at] = false);
            silent.Clear();
            while (tried.Contains(false))
            {
                var at = _choice.Next(tried);
                tried[at] = true;
                var answer = await AskAsync(at, isLast: !tried.Contains(false), connect, connections, dial).ConfigureAwait(false);
                if (answer.IsFinal)
                {
                    return answer.Result;
                }

                if (answer.IsSilent)
                {
                    silent.Add(at);
                }

                if (answer.Result.Outcome == DialOutcome.BrokerUnreachable)
                {
                    unreachable[at] = answer.Result.Reason;
                }
                else
                {
                    refusal = answer.Result;
                }
            }
        }
        while (refusal is null && silent.Count > 0);

        return refusal ?? DialResult.Failed(DialOutcome.BrokerUnreachable, string.Join("; ", unreachable));
    }

    private async Task<BrokerAnswer> AskAsync(int at, bool isLast, ConnectRequest connect, DialConnections connections, Deadline dial)
    {
        var answer = await AskAsync(_brokers[at], isLast, connect, connections, dial).ConfigureAwait(false);
        if (answer.IsSound)
        {
            _choice.Answered(at);
        }
        else
        {
            _choice.Failed(at);
        }

        return answer;
    }

    private async Task<BrokerAnswer> AskAsync(HostPort ingress, bool isLast, ConnectRequest connect, DialConnections connections, Deadline dial)
    {
        var answer = await AttemptAsync(connect).ConfigureAwait(false);
        if (!answer.IsRedirect)
        {
            return answer;
        }

        // The ingress has answered, whatever the holder did.
        return await _redirects.FollowAsync(connect, answer.Location, connections, dial).ConfigureAwait(false) is { } followed
            ? followed with { IsHeard = true }
            : await AttemptAsync(connect with { AcceptsRedirect = false }).ConfigureAwait(false);

        Task<BrokerAnswer> AttemptAsync(ConnectRequest request) =>
            new DialAttempt(new KeptKey(ingress, Via: _via.To(ingress)), connections, dial)
                .RunAsync(request, isLast ? Timeout.InfiniteTimeSpan : DialAttempt.SilenceTimeout, mayRepeat: isLast);
    }

    private Task<Leg> ConnectAsync(KeptKey front, CancellationToken cancellationToken) =>
        ProxyTunnel.ConnectAsync(_connector, front.Via, front.Address, cancellationToken);

    /// <summary>What the dialer shows and accepts; null without TLS.</summary>
    /// <exception cref="WhipOptionException">No broker is named, or a file cannot be used.</exception>
    internal static TlsIdentity? LoadIdentity(WhipDialerOptions options, TimeProvider time)
    {
        // The brokers first: without one, a message about certificates would mislead.
        ArgumentNullException.ThrowIfNull(options);
        options.ParseBrokers();
        return options.Tls.Enabled ? TlsIdentity.Load(options.Tls, time, PeerRole.Client) : null;
    }

    private static string? FindProblem(DialRequest request, out DialTarget target) =>
        !request.TryGetTarget(out target, out var problem) ? problem
            : request.Deadline <= TimeSpan.Zero ? "the deadline must be longer than zero"
            : request.Wait < TimeSpan.Zero || request.Wait > ConnectRequest.MaxWait
                ? $"the wait must be 0 to {ConnectRequest.MaxWait.TotalSeconds.ToString(CultureInfo.InvariantCulture)} seconds"
            : null;
}
