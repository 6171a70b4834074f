using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Whip.Protocol.Grpc;

namespace Whip.Hosting.Grpc;

/// <summary>The methods of a service, over the frames of gRPC's wire.</summary>
internal sealed class ControlCalls(IControlService service, int maxMessageSize)
{
    /// <summary>Runs the method that the request's path names; the response lacks its end only.</summary>
    public async Task RunAsync(HttpContext context, RunningCall call)
    {
        // The head leaves now: a peer may wait for it before it sends a message.
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        var status = context.Request.Path.Value == GrpcMethods.Link.Path
            ? await RunAsync(GrpcMethods.Link, service.LinkAsync, context, call)
            : await RunAsync(GrpcMethods.Register, service.RegisterAsync, context, call);
        StatusHeaders.Write(context.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers, status);
    }

    private Task<GrpcStatus> RunAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method,
        Func<IControlStream<TRequest, TResponse>, CancellationToken, Task<GrpcStatus>> serve,
        HttpContext context,
        RunningCall call)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        var reader = new FrameReader<TRequest>(context.Request.BodyReader, method.Requests, maxMessageSize, GrpcStatusCode.InvalidArgument);
        return call.RunAsync(serve, reader.ReadAsync, WriteAsync);

        async Task WriteAsync(TResponse message)
        {
            if ((await context.Response.BodyWriter.WriteAsync(GrpcWire.Frame(message))).IsCompleted)
            {
                throw new OperationCanceledException("the peer has gone");
            }
        }
    }
}
