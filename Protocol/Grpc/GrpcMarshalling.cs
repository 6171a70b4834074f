using Google.Protobuf;
using Grpc.Core;

namespace Whip.Protocol.Grpc;

/// <summary>Our methods and messages as grpc-dotnet wants them.</summary>
internal static class GrpcMarshalling
{
    /// <param name="method">Which.</param>
    /// <param name="malformed">The status of bytes that are no message.</param>
    public static Method<TRequest, TResponse> ToGrpc<TRequest, TResponse>(this GrpcMethod<TRequest, TResponse> method, GrpcStatusCode malformed)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        var name = method.Path.LastIndexOf('/') + 1;
        return new(
            MethodType.DuplexStreaming, method.Path[1..(name - 1)], method.Path[name..], Marshal(method.Requests, malformed), Marshal(method.Responses, malformed));
    }

    private static Marshaller<T> Marshal<T>(MessageParser<T> parser, GrpcStatusCode malformed)
        where T : class, IMessage<T> => Marshallers.Create(Serialize, context => Deserialize(parser, context, malformed));

    private static void Serialize<T>(T message, SerializationContext context)
        where T : class, IMessage<T>
    {
        context.SetPayloadLength(message.CalculateSize());
        message.WriteTo(context.GetBufferWriter());
        context.Complete();
    }

    private static T Deserialize<T>(MessageParser<T> parser, DeserializationContext context, GrpcStatusCode malformed)
        where T : class, IMessage<T>
    {
        try
        {
            return parser.ParseFrom(context.PayloadAsReadOnlySequence());
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new GrpcStatusException(new GrpcStatus(malformed, $"not a {typeof(T).Name} message"), exception);
        }
    }
}
