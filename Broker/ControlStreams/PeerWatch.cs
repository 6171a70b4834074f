using Grpc.Core;

namespace Whip.Broker.ControlStreams;

/// <summary>Ends the control streams whose agent's certificate has expired or been denied since they were registered.</summary>
internal sealed class PeerWatch(LiveStreams streams, DenyFile? denied, TimeProvider time)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TlsIdentity.LookInterval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            var now = time.GetUtcNow();
            foreach (var stream in streams.All)
            {
                if (stream.Peer is { } peer && Problem(peer, now) is { } problem)
                {
                    stream.End(StatusCode.PermissionDenied, problem);
                }
            }
        }
    }

    private string? Problem(PeerIdentity peer, DateTimeOffset now) =>
        peer.NotAfter <= now ? $"the agent's certificate ({peer}) expired on {peer.NotAfter:u}"
        : denied?.Matches(peer) == true ? $"the agent's certificate ({peer}) is on the broker's deny list"
        : null;
}
