using System.Net;
using Whip.Broker.Peers;
using Whip.Protocol.Messages;
using Whip.Protocol.Tls;

namespace Whip.Tests.Broker.Peers;

/// <summary>A link whose answers are thrown away while it is frozen.</summary>
internal sealed class FreezableStream(IPeerStream stream, Func<bool> isFrozen) : IPeerStream
{
    public PeerIdentity? Peer => stream.Peer;

    public IPEndPoint RemoteEndPoint => stream.RemoteEndPoint;

    public void Authenticated() => stream.Authenticated();

    public ValueTask<PeerRequest?> ReadAsync(CancellationToken cancellationToken) => stream.ReadAsync(cancellationToken);

    public Task WriteAsync(PeerReply message, CancellationToken cancellationToken) =>
        isFrozen() ? Task.CompletedTask : stream.WriteAsync(message, cancellationToken);
}
