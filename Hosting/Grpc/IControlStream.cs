using System.Net;
using Whip.Protocol.Grpc;
using Whip.Protocol.Tls;

namespace Whip.Hosting.Grpc;

/// <summary>The server's end of one control stream. Reads and writes of several callers take turns; after the call they are cancelled.</summary>
internal interface IControlStream<TRequest, TResponse>
    where TRequest : class
{
    /// <summary>The caller's verified identity; null on a plain listener.</summary>
    PeerIdentity? Peer { get; }

    IPEndPoint RemoteEndPoint { get; }

    /// <summary>The peer has said who it is: its connection no longer counts as unauthenticated. Idempotent.</summary>
    void Authenticated();

    /// <returns>The next message; null when the peer sends no more.</returns>
    /// <exception cref="GrpcStatusException">InvalidArgument: not a message; ResourceExhausted: above the limit.</exception>
    /// <exception cref="OperationCanceledException">The call is aborted, or <paramref name="cancellationToken"/> cancelled.</exception>
    ValueTask<TRequest?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Waits while the peer's window is full.</summary>
    /// <exception cref="OperationCanceledException">The call is aborted, or <paramref name="cancellationToken"/> cancelled.</exception>
    ValueTask WriteAsync(TResponse message, CancellationToken cancellationToken);
}
