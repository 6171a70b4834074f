using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Whip.Protocol.Grpc;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;

namespace Whip.Broker.Peers;

/// <summary>
/// Looks whether the addresses this broker tells the cluster lead back to it: two brokers with one address would be sent each other's
/// agents and dials. The control listener is asked which process it is; the others are known by their certificate, under TLS alone.
/// </summary>
internal sealed class SelfCheck(
    ClusterCredentials self, string externalGrpc, string? externalTcp, string? externalDial, ILogger logger, TimeProvider time)
{
    private const string GrpcFlag = "--external-grpc";
    private const string TcpFlag = "--external-tcp";
    private const string DialFlag = "--external-dial";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, SelfVerdict> _verdicts = [];
    private volatile string? _anotherAnswers;

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
        var another = await LookAsync(GrpcFlag, externalGrpc, AskGrpcAsync, cancellationToken);
        foreach (var (flag, hostPort) in new[] { (TcpFlag, externalTcp), (DialFlag, externalDial) })
        {
            if (self.Tls is not null && hostPort is not null)
            {
                another = await LookAsync(flag, hostPort, (address, token) => AskByCertificateAsync(hostPort, address, token), cancellationToken) ?? another;
            }
        }

        _anotherAnswers = another;
        HasLooked = true;
    }

    private async Task<string?> LookAsync(
        string flag, string hostPort, Func<IPEndPoint, CancellationToken, Task<SelfAnswer>> ask, CancellationToken cancellationToken)
    {
        var answer = await AskEveryAsync(hostPort, ask, cancellationToken);
        if (_verdicts.GetValueOrDefault(flag) != answer.Verdict)
        {
            Tell(flag, hostPort, answer);
        }

        _verdicts[flag] = answer.Verdict;
        return answer.Verdict == SelfVerdict.Another ? $"{flag} {hostPort}" : null;
    }

    /// <summary>One address of a name that leads elsewhere is enough; one that leads here makes up for those that lead nowhere.</summary>
    private async Task<SelfAnswer> AskEveryAsync(
        string hostPort, Func<IPEndPoint, CancellationToken, Task<SelfAnswer>> ask, CancellationToken cancellationToken)
    {
        try
        {
            var worst = new SelfAnswer(SelfVerdict.Unreachable, "it has no address");
            foreach (var address in await PeerDialer.ResolveAsync(hostPort, time, cancellationToken))
            {
                var answer = await ask(address, cancellationToken);
                if (answer.Verdict == SelfVerdict.Another)
                {
                    return answer;
                }

                worst = worst.Verdict == SelfVerdict.Us ? worst : answer;
            }

            return worst;
        }
        catch (GrpcStatusException error)
        {
            return new SelfAnswer(SelfVerdict.Unreachable, error.Status.Message);
        }
    }

    private async Task<SelfAnswer> AskGrpcAsync(IPEndPoint address, CancellationToken cancellationToken)
    {
        try
        {
            var (call, process) = await PeerDialer.OpenAsync(self, self.BrokerId, address, externalGrpc, time, cancellationToken);
            await call.DisposeAsync();
            return process.AsSpan().SequenceEqual(self.Process)
                ? new SelfAnswer(SelfVerdict.Us)
                : new SelfAnswer(SelfVerdict.Another, $"another process runs as broker {self.BrokerId}");
        }
        catch (GrpcStatusException error)
        {
            var isAnswer = error.Status.Code is GrpcStatusCode.FailedPrecondition or GrpcStatusCode.NotFound or GrpcStatusCode.Unimplemented;
            return new SelfAnswer(isAnswer ? SelfVerdict.Another : SelfVerdict.Unreachable, error.Status.Message);
        }
    }

    private async Task<SelfAnswer> AskByCertificateAsync(string hostPort, IPEndPoint address, CancellationToken cancellationToken)
    {
        _ = HostPort.TryParse(hostPort, out var host, out _);
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await using var leg = await Leg.ConnectAsync(address, either.Token);
            await leg.AuthenticateAsClientAsync(self.Tls!, host, either.Token);
            return self.Problem(leg.Peer, address, self.BrokerId) is { } problem
                ? new SelfAnswer(SelfVerdict.Another, problem)
                : new SelfAnswer(SelfVerdict.Us);
        }
        catch (Exception error) when (error is SocketException or LegHandshakeException or IOException)
        {
            return new SelfAnswer(SelfVerdict.Unreachable, error.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new SelfAnswer(SelfVerdict.Unreachable, $"no answer within {Timeout.TotalSeconds:0} s");
        }
    }

    private void Tell(string flag, string hostPort, SelfAnswer answer)
    {
        switch (answer.Verdict)
        {
            case SelfVerdict.Another:
                PeerLog.AnotherAnswers(logger, flag, hostPort, Printable.Clean(answer.Problem));
                break;
            case SelfVerdict.Unreachable:
                PeerLog.CannotReachOurselves(logger, flag, hostPort, Printable.Clean(answer.Problem));
                break;
            default:
                PeerLog.WeAnswer(logger, flag, hostPort);
                break;
        }
    }
}
