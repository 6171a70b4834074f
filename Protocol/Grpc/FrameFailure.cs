using Grpc.Core;

namespace Whip.Protocol.Grpc;

/// <summary>What grpc-dotnet throws at a frame that is none. Some of it differs in nothing but the text.</summary>
internal static class FrameFailure
{
    /// <param name="exception">Of a read.</param>
    /// <param name="malformed">The status of a stream that ends inside a message.</param>
    /// <returns>Null: it is not about a frame.</returns>
    public static GrpcStatus? Of(Exception exception, GrpcStatusCode malformed)
    {
        var text = exception is RpcException { Status.Detail: var detail } ? detail : exception.Message;
        return exception switch
        {
            RpcException or InvalidDataException or IOException when text.StartsWith("Message too large", StringComparison.Ordinal)
                || text.StartsWith("Received message exceeds", StringComparison.Ordinal) =>
                new GrpcStatus(GrpcStatusCode.ResourceExhausted, "a message is above the limit"),
            RpcException or InvalidDataException when text.StartsWith("Incomplete message", StringComparison.Ordinal)
                || text.StartsWith("Unexpected end", StringComparison.Ordinal) =>
                new GrpcStatus(malformed, "the stream ended inside a message"),
            RpcException { StatusCode: StatusCode.Internal } or InvalidDataException => new GrpcStatus(GrpcStatusCode.Internal, text),
            _ => null,
        };
    }
}
