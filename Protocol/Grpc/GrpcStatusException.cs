namespace Whip.Protocol.Grpc;

/// <summary>A call that ended with a status other than Ok, or could not be made: then the status is the one its failure maps to.</summary>
internal sealed class GrpcStatusException(GrpcStatus status, Exception? cause = null) : Exception(status.ToString(), cause)
{
    public GrpcStatus Status { get; } = status;
}
