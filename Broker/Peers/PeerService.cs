using Microsoft.Extensions.Logging;
using Whip.Protocol.Grpc;
using Whip.Protocol.Names;
using Whip.Registry.Routes;

namespace Whip.Broker.Peers;

/// <summary>Answers the links that other brokers open: from this broker's own streams and from nothing else.</summary>
internal sealed class PeerService(ClusterCredentials self, LocalRoutes routes, ILogger logger, TimeProvider time)
{
    private static readonly TimeSpan GreetingTimeout = TimeSpan.FromSeconds(5);

    public async Task<GrpcStatus> LinkAsync(IPeerStream stream, CancellationToken aborted)
    {
        string opener;
        try
        {
            using var deadline = new CancellationTokenSource(GreetingTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(aborted, deadline.Token);
            opener = await PeerGreeting.AnswerAsync(stream, self, either.Token);
        }
        catch (OperationCanceledException) when (!aborted.IsCancellationRequested)
        {
            return Refuse(stream, new GrpcStatus(GrpcStatusCode.DeadlineExceeded, $"no greeting within {GreetingTimeout.TotalSeconds:0} s"));
        }
        catch (GrpcStatusException error)
        {
            return Refuse(stream, error.Status);
        }

        stream.Authenticated();
        PeerLog.Answering(logger, opener, stream.RemoteEndPoint);
        return await new AnsweredLink(stream, routes, time).RunAsync(self.Process, aborted);
    }

    private GrpcStatus Refuse(IPeerStream stream, GrpcStatus status)
    {
        PeerLog.Refused(logger, stream.RemoteEndPoint, Printable.Clean(status.Message));
        return status;
    }
}
