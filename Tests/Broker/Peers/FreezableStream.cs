using System.Net;
using Whip.Hosting.Grpc;
using Whip.Protocol.Messages;
using Whip.Protocol.Tls;

namespace Whip.Tests.Broker.Peers;

/// <summary>A link whose answers are thrown away while it is frozen.</summary>
internal sealed class FreezableStream(IControlStream<PeerRequest, PeerReply> stream, Func<bool> isFrozen) : IControlStream<PeerRequest, PeerReply>
{
    public PeerIdentity? Peer => stream.Peer;

    public IPEndPoint RemoteEndPoint => stream.RemoteEndPoint;

    public void Authenticated() => stream.Authenticated();

    public ValueTask<PeerRequest?> ReadAsync(CancellationToken cancellationToken) => stream.ReadAsync(cancellationToken);

    public ValueTask WriteAsync(PeerReply message, CancellationToken cancellationToken) =>
        isFrozen() ? ValueTask.CompletedTask : stream.WriteAsync(message, cancellationToken);
}
