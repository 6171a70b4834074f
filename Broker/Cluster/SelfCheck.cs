using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Broker.Cluster;

/// <summary>
/// Looks whether the addresses this broker tells the cluster lead back to it: behind a load balancer in front of two brokers each would be sent
/// the other's agents and dials. Whoever answers is known by the certificate, so there is no such look without TLS, where all addresses are loopback.
/// </summary>
/// <param name="clusterId">Of this broker.</param>
/// <param name="brokerId">Whose URI is expected at each address.</param>
/// <param name="identity">What the look shows and what it trusts.</param>
/// <param name="addresses">Flags and their values.</param>
/// <param name="logger">The broker's.</param>
/// <param name="time">For the interval and the limit of a look.</param>
internal sealed class SelfCheck(
    string clusterId, string brokerId, TlsIdentity identity, IReadOnlyList<(string Flag, HostPort Address)> addresses, ILogger logger, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, Verdict> _verdicts = [];
    private volatile string? _anotherAnswers;

    /// <summary>Who answers at an address.</summary>
    private enum Verdict
    {
        /// <summary>This broker; what is taken for granted before the first look.</summary>
        Us,

        Another,

        /// <summary>Nobody that can be reached from here, which need not mean that others cannot reach us.</summary>
        Unreachable,
    }

    /// <summary>The flag and the address at which another than this broker was found to answer; null when there is none.</summary>
    public string? AnotherAnswersAt => _anotherAnswers;

    /// <summary>Whether there was a first look.</summary>
    public bool HasLooked { get; private set; }

    /// <summary>Looks now and then every 30 seconds, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var timer = new PeriodicTimer(Interval, time);
            do
            {
                await LookAsync(cancellationToken);
            }
            while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The broker stops.
        }
    }

    /// <summary>Looks once.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        string? another = null;
        foreach (var (flag, address) in addresses)
        {
            var (verdict, problem) = await AskEveryAsync(address, cancellationToken);
            if (_verdicts.GetValueOrDefault(flag) != verdict)
            {
                Tell(flag, $"{address}", verdict, Printable.Clean(problem));
            }

            _verdicts[flag] = verdict;
            another ??= verdict == Verdict.Another ? $"{flag} {address}" : null;
        }

        _anotherAnswers = another;
        HasLooked = true;
    }

    /// <summary>One address of a name that leads elsewhere is enough; one that leads here makes up for those that lead nowhere.</summary>
    private async Task<(Verdict Verdict, string Problem)> AskEveryAsync(HostPort at, CancellationToken cancellationToken)
    {
        try
        {
            var worst = (Verdict.Unreachable, "it has no address");
            foreach (var address in await Dns.GetHostAddressesAsync(at.Host, cancellationToken).WaitAsync(Timeout, time, cancellationToken))
            {
                var answer = await AskAsync(at.Host, new IPEndPoint(address, at.Port), cancellationToken);
                if (answer.Verdict == Verdict.Another)
                {
                    return answer;
                }

                worst = worst.Item1 == Verdict.Us ? worst : answer;
            }

            return worst;
        }
        catch (Exception error) when (error is SocketException or TimeoutException or ArgumentException)
        {
            return (Verdict.Unreachable, $"it does not resolve: {error.Message}");
        }
    }

    private async Task<(Verdict Verdict, string Problem)> AskAsync(string host, IPEndPoint address, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await using var leg = await Leg.ConnectAsync(address, either.Token);
            await leg.AuthenticateAsClientAsync(identity, host, either.Token);
            return leg.Peer?.IsBroker(clusterId, brokerId) == true
                ? (Verdict.Us, "")
                : (Verdict.Another, $"its certificate ({leg.Peer}) lacks the URI {BrokerUri.Format(clusterId, brokerId)}");
        }
        catch (Exception error) when (error is SocketException or LegHandshakeException or IOException)
        {
            return (Verdict.Unreachable, error.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (Verdict.Unreachable, $"no answer within {Timeout.TotalSeconds:0} s");
        }
    }

    private void Tell(string flag, string hostPort, Verdict verdict, string problem)
    {
        switch (verdict)
        {
            case Verdict.Another:
                ClusterLog.AnotherAnswers(logger, flag, hostPort, problem);
                break;
            case Verdict.Unreachable:
                ClusterLog.CannotReachOurselves(logger, flag, hostPort, problem);
                break;
            default:
                ClusterLog.WeAnswer(logger, flag, hostPort);
                break;
        }
    }
}
