using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Whip.Protocol.Grpc;

namespace Whip.Hosting.Grpc;

/// <summary>Runs one request: checks that it is a call of a method served here, and runs it until it has a status, its peer has gone, its deadline has passed or the server stops.</summary>
internal sealed class ControlCallHandler(ControlCalls calls, ILogger logger, CancellationToken stopping) : IHttpApplication<HttpContext>
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
            StatusHeaders.Write(context.Response.Headers, refusal);
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

        return stopping.IsCancellationRequested ? RunningCall.Stopping : null;
    }

    private async Task RunAsync(HttpContext context, TimeSpan? timeout)
    {
        using var call = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        if (timeout is { } due)
        {
            call.CancelAfter(due);
        }

        var connection = context.Features.GetRequiredFeature<AdmittedConnection>();
        connection.HasCalled = true;
        try
        {
            await calls.RunAsync(context, new RunningCall(connection, context.Response.BodyWriter, logger, call.Token, stopping));
            if (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.CompleteAsync().WaitAsync(EndTimeout);
            }
        }
        catch (Exception exception) when (exception is TimeoutException or IOException or OperationCanceledException)
        {
            context.Abort();
        }
    }
}
