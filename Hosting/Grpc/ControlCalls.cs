using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;

namespace Whip.Hosting.Grpc;

/// <summary>The methods of a service, over Grpc.AspNetCore.</summary>
internal sealed class ControlCalls
{
    private readonly ServiceProvider _services;
    private readonly Dictionary<string, RequestDelegate> _methods;

    public ControlCalls(IControlService service, int maxMessageSize)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = maxMessageSize;
            grpc.CompressionProviders.Clear();
            grpc.IgnoreUnknownServices = true;
        });
        _services = services.BuildServiceProvider();
        var endpoints = new Endpoints(_services);
        endpoints.MapGrpcService(ServerServiceDefinition.CreateBuilder()
            .AddMethod(GrpcMethods.Register.ToGrpc(GrpcStatusCode.InvalidArgument), Serve<RequestStream, ResponseStream>(service.RegisterAsync))
            .AddMethod(GrpcMethods.Link.ToGrpc(GrpcStatusCode.InvalidArgument), Serve<PeerRequest, PeerReply>(service.LinkAsync))
            .Build());
        _methods = endpoints.DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .ToDictionary(endpoint => endpoint.RoutePattern.RawText!, endpoint => endpoint.RequestDelegate!);
    }

    /// <summary>Runs the method that the request's path names; the response lacks its end only.</summary>
    public Task RunAsync(HttpContext context, RunningCall call)
    {
        // The call has its deadline already.
        context.Request.Headers.Remove(GrpcWire.TimeoutHeader);
        context.RequestServices = _services;
        context.Features.Set(call);
        return _methods[context.Request.Path.Value!](context);
    }

    private static DuplexStreamingServerMethod<TRequest, TResponse> Serve<TRequest, TResponse>(
        Func<IControlStream<TRequest, TResponse>, CancellationToken, Task<GrpcStatus>> serve)
        where TRequest : class
        where TResponse : class => async (requests, responses, context) =>
        {
            var call = context.GetHttpContext().Features.GetRequiredFeature<RunningCall>();

            // The head leaves now: a peer may wait for it before it sends a message.
            await context.WriteResponseHeadersAsync(Metadata.Empty);
            var status = await call.RunAsync<TRequest, TResponse>(serve, token => ReadAsync(requests, token), responses.WriteAsync);
            context.Status = new Status((StatusCode)status.Code, StatusText.Cut(status.Message));
        };

    private static async ValueTask<T?> ReadAsync<T>(IAsyncStreamReader<T> requests, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await requests.MoveNext(cancellationToken) ? requests.Current : null;
        }
        catch (Exception exception) when (FrameFailure.Of(exception, GrpcStatusCode.InvalidArgument) is { } failure)
        {
            throw new GrpcStatusException(failure, exception);
        }
    }

    /// <summary>Where Grpc.AspNetCore leaves what runs a method; nothing is routed.</summary>
    private sealed class Endpoints(IServiceProvider services) : IEndpointRouteBuilder
    {
        public IServiceProvider ServiceProvider => services;

        public ICollection<EndpointDataSource> DataSources { get; } = [];

        public IApplicationBuilder CreateApplicationBuilder() => new ApplicationBuilder(services);
    }
}
