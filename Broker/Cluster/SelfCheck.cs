using System.Net;
using System.Net.Sockets;

namespace Whip.Broker.Cluster;

/// <summary>
/// Checks that the external addresses of this broker lead back to it: behind one load balancer in front of two brokers, each would get
/// agents and dials of the other. The certificate shows who answers, so that there is no check without TLS, where all addresses are loopback.
/// </summary>
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
        /// <summary>This broker, which is assumed before the first check.</summary>
        Us,

        Another,

        /// <summary>The address cannot be reached from here; others may reach it all the same.</summary>
        Unreachable,
    }

    /// <summary>The flag and the address at which another broker answers; null if there is none.</summary>
    public string? AnotherAnswersAt => _anotherAnswers;

    public bool HasChecked { get; private set; }

    /// <summary>Checks at once and then every 30 seconds, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            await CheckAsync(cancellationToken);
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        string? another = null;
        foreach (var (flag, address) in addresses)
        {
            var (verdict, problem) = await AskEveryAsync(address, cancellationToken);
            if (_verdicts.GetValueOrDefault(flag) != verdict)
            {
                Log(flag, $"{address}", verdict, Printable.Clean(problem));
            }

            _verdicts[flag] = verdict;
            another ??= verdict == Verdict.Another ? $"{flag} {address}" : null;
        }

        _anotherAnswers = another;
        HasChecked = true;
    }

    /// <summary>Asks every address of a name. One that leads to another broker decides; otherwise one that leads here does.</summary>
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
        using var deadline = new Deadline(Timeout, time, cancellationToken);
        try
        {
            await using var leg = await Leg.ConnectAsync(address, deadline.Token);
            await leg.AuthenticateAsClientAsync(identity, host, deadline.Token);
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

    private void Log(string flag, string hostPort, Verdict verdict, string problem)
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
