using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;

namespace Whip.Hosting.Grpc;

/// <summary>What a <c>ControlServer</c> serves.</summary>
internal interface IControlService
{
    /// <summary>
    /// Runs one call, which ends with the returned status (or that of a thrown <see cref="GrpcStatusException"/>).
    /// Any other exception is Internal and logged as an error, unless <paramref name="aborted"/> is cancelled: the peer has gone,
    /// its deadline has passed or the server stops, and the server knows the status.
    /// </summary>
    Task<GrpcStatus> RegisterAsync(IControlStream<RequestStream, ResponseStream> stream, CancellationToken aborted);

    /// <summary>The same for the link of another broker.</summary>
    Task<GrpcStatus> LinkAsync(IControlStream<PeerRequest, PeerReply> stream, CancellationToken aborted);
}
