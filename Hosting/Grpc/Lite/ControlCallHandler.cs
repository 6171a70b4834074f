using Google.Protobuf;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Whip.Protocol.Grpc;

namespace Whip.Hosting.Grpc;

/// <summary>Runs one request: checks that it is a call of a method served here, lets the service run it, and ends it with a status.</summary>
internal sealed class ControlCallHandler(IControlService service, int maxMessageSize, ILogger logger, CancellationToken stopping)
    : IHttpApplication<HttpContext>
{
    /// <summary>For the last bytes of a call to a peer that does not read.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public void DisposeContext(HttpContext context, Exception? exception)
    {
    }

    public Task ProcessRequestAsync(HttpContext context)
    {
        var request = context.Request;
        if (!HttpMethods.IsPost(request.Method))
        {
            context.Response.Headers.Allow = HttpMethods.Post;
            return NotGrpcAsync(context, StatusCodes.Status405MethodNotAllowed);
        }

        if (!GrpcWire.IsGrpc(request.ContentType))
        {
            return NotGrpcAsync(context, StatusCodes.Status415UnsupportedMediaType);
        }

        context.Response.ContentType = GrpcWire.ContentType;
        if (Refusal(request, out var timeout) is { } refusal)
        {
            context.Response.Headers[GrpcWire.AcceptEncodingHeader] = GrpcWire.Identity;
            WriteStatus(context.Response.Headers, refusal);
            return Task.CompletedTask;
        }

        return RunAsync(context, timeout);
    }

    private static Task NotGrpcAsync(HttpContext context, int statusCode)
    {
        context.Response.StatusCode = statusCode;
        context.Response.ContentType = "text/plain";
        return context.Response.WriteAsync($"only gRPC is served here, POST {GrpcMethods.Register.Path} with content type {GrpcWire.ContentType}\n");
    }

    private GrpcStatus? Refusal(HttpRequest request, out TimeSpan? timeout)
    {
        timeout = null;
        if (request.Path.Value != GrpcMethods.Register.Path && request.Path.Value != GrpcMethods.Link.Path)
        {
            return new GrpcStatus(GrpcStatusCode.Unimplemented, $"no such method; {GrpcMethods.Register.Path} is served here");
        }

        if (!GrpcWire.IsIdentity(request.Headers[GrpcWire.EncodingHeader]))
        {
            return new GrpcStatus(GrpcStatusCode.Unimplemented, "messages are not compressed here");
        }

        if (request.Headers.TryGetValue(GrpcWire.TimeoutHeader, out var text) && (timeout = GrpcTimeout.Parse(text)) is null)
        {
            return new GrpcStatus(GrpcStatusCode.InvalidArgument, $"{GrpcWire.TimeoutHeader} is not a timeout");
        }

        return stopping.IsCancellationRequested ? Stopping() : null;
    }

    private async Task RunAsync(HttpContext context, TimeSpan? timeout)
    {
        using var call = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        if (timeout is { } due)
        {
            call.CancelAfter(due);
        }

        var status = await ServeAsync(context, call.Token);
        if (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        if (call.IsCancellationRequested)
        {
            status = stopping.IsCancellationRequested
                ? Stopping()
                : new GrpcStatus(GrpcStatusCode.DeadlineExceeded, "the call's deadline has passed");
        }

        await EndAsync(context, status);
    }

    private async Task<GrpcStatus> ServeAsync(HttpContext context, CancellationToken aborted)
    {
        var connection = context.Features.GetRequiredFeature<AdmittedConnection>();
        connection.HasCalled = true;
        try
        {
            // The head leaves now: a peer may wait for it before it sends a message.
            await context.Response.BodyWriter.FlushAsync(aborted);
            return context.Request.Path.Value == GrpcMethods.Link.Path
                ? await CallAsync(GrpcMethods.Link, service.LinkAsync)
                : await CallAsync(GrpcMethods.Register, service.RegisterAsync);
        }
        catch (GrpcStatusException exception)
        {
            return exception.Status;
        }
        catch (Exception) when (aborted.IsCancellationRequested)
        {
            return new GrpcStatus(GrpcStatusCode.Cancelled, "");
        }
        catch (Exception exception)
        {
            ControlServerLog.ServiceFailed(logger, exception);
            return new GrpcStatus(GrpcStatusCode.Internal, "the broker failed");
        }

        async Task<GrpcStatus> CallAsync<TRequest, TResponse>(
            GrpcMethod<TRequest, TResponse> method, Func<IControlStream<TRequest, TResponse>, CancellationToken, Task<GrpcStatus>> serve)
            where TRequest : class, IMessage<TRequest>
            where TResponse : class, IMessage<TResponse>
        {
            await using var stream = new ControlStream<TRequest, TResponse>(method, context, connection, maxMessageSize, aborted);
            return await serve(stream, aborted);
        }
    }

    private static async Task EndAsync(HttpContext context, GrpcStatus status)
    {
        try
        {
            WriteStatus(context.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers, status);
            await context.Response.CompleteAsync().WaitAsync(EndTimeout);
        }
        catch (Exception exception) when (exception is TimeoutException or IOException or OperationCanceledException)
        {
            context.Abort();
        }
    }

    private static void WriteStatus(IHeaderDictionary headers, GrpcStatus status)
    {
        headers[GrpcWire.StatusHeader] = StatusText.Code(status.Code);
        if (status.Message.Length > 0)
        {
            headers[GrpcWire.MessageHeader] = StatusText.Encode(status.Message);
        }
    }

    private static GrpcStatus Stopping() => new(GrpcStatusCode.Unavailable, "the broker is stopping");
}
