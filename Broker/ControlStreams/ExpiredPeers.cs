using Grpc.Core;

namespace Whip.Broker.ControlStreams;

/// <summary>Ends the control streams whose agent's certificate has expired since they were registered.</summary>
internal sealed class ExpiredPeers(LiveStreams streams, TimeProvider time)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TlsIdentity.LookInterval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            var now = time.GetUtcNow();
            foreach (var stream in streams.All)
            {
                if (stream.Peer is { } peer && peer.NotAfter <= now)
                {
                    stream.End(StatusCode.PermissionDenied, $"the agent's certificate ({peer}) expired on {peer.NotAfter:u}");
                }
            }
        }
    }
}
