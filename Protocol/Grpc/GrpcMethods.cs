using Whip.Protocol.Messages;

namespace Whip.Protocol.Grpc;

/// <summary>What a control listener serves.</summary>
internal static class GrpcMethods
{
    /// <summary>An agent's control stream.</summary>
    public static readonly GrpcMethod<RequestStream, ResponseStream> Register = new("/v1.Whip/Register", RequestStream.Parser, ResponseStream.Parser);
}
