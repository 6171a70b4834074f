using Google.Protobuf;

namespace Whip.Protocol.Grpc;

/// <summary>One method, bidirectional, as caller and server know it.</summary>
internal sealed record GrpcMethod<TRequest, TResponse>(string Path, MessageParser<TRequest> Requests, MessageParser<TResponse> Responses)
    where TRequest : class, IMessage<TRequest>
    where TResponse : class, IMessage<TResponse>;
