using System.Net;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using WhipService = Whip.Protocol.Messages.Whip;

namespace Whip.Broker.Listening;

/// <summary>Serves gRPC to agents: a Kestrel of its own behind <see cref="ConnectionAdmission"/>.</summary>
internal sealed class ControlListener : IAsyncDisposable
{
    /// <summary>An agent opens one; the agents of one process may share a connection.</summary>
    private const int StreamsPerConnection = 16;

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    /// <summary>For the last bytes of a call whose peer does not read.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan IdleConnection = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RequestHead = TimeSpan.FromSeconds(5);

    private readonly WebApplication _application;
    private readonly TimeProvider _time;

    private ControlListener(IPEndPoint listen, ConnectionAdmission admission, WhipLimits limits, ILoggerFactory loggers, TimeProvider time)
    {
        _time = time;
        LocalEndPoint = listen;
        var builder = InnerHost.CreateBuilder(loggers);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopTimeout);
        builder.Services.AddSingleton<IConnectionListenerFactory>(admission.Transport);
        builder.Services.AddGrpc();

        // After AddGrpc, which adds compression providers; a decompressed message has no size limit.
        builder.Services.Configure<GrpcServiceOptions>(grpc =>
        {
            grpc.MaxReceiveMessageSize = limits.ControlMessageSize;
            grpc.CompressionProviders.Clear();
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            Limit(kestrel, limits.ControlMessageSize);
            kestrel.Listen(listen, options =>
            {
                options.Protocols = HttpProtocols.Http2;
                admission.Use(options);
            });
        });
        _application = builder.Build();
        _application.Use(RunCallAsync);
    }

    public IPEndPoint LocalEndPoint { get; private set; }

    /// <exception cref="IOException">The address cannot be bound.</exception>
    public static async Task<ControlListener> StartAsync(
        IPEndPoint listen,
        ConnectionAdmission admission,
        WhipService.WhipBase service,
        WhipLimits limits,
        ILoggerFactory loggers,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        var listener = new ControlListener(listen, admission, limits, loggers, time);
        try
        {
            listener._application.MapGrpcService(WhipService.BindService(service));
            var hint = $"{admission.Port.Hint(Visitor.Browser)}; only gRPC is served here\n";
            listener._application.MapFallback(() => Results.Text(hint, statusCode: StatusCodes.Status404NotFound));
            await listener._application.StartAsync(cancellationToken);
            listener.LocalEndPoint = new IPEndPoint(listen.Address, new Uri(listener._application.Urls.Single()).Port);
            return listener;
        }
        catch
        {
            await listener.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends GOAWAY on every connection; calls that are still open after 5 seconds, or when cancelled, are aborted. Idempotent.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _application.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        await _application.DisposeAsync();
    }

    private static void Limit(KestrelServerOptions kestrel, int messageSize)
    {
        kestrel.AddServerHeader = false;

        // A control stream is idle most of the time; pings decide whether it lives.
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.KeepAliveTimeout = IdleConnection;
        kestrel.Limits.RequestHeadersTimeout = RequestHead;
        kestrel.Limits.MaxRequestHeadersTotalSize = 8 * 1024;
        kestrel.Limits.MaxRequestHeaderCount = 64;
        kestrel.Limits.Http2.MaxStreamsPerConnection = StreamsPerConnection;
        kestrel.Limits.Http2.MaxRequestHeaderFieldSize = 4 * 1024;
        kestrel.Limits.Http2.InitialStreamWindowSize = 2 * messageSize;
        kestrel.Limits.Http2.InitialConnectionWindowSize = StreamsPerConnection * 2 * messageSize;
    }

    private async Task RunCallAsync(HttpContext context, RequestDelegate next)
    {
        AdmittedConnection.Of(context.Features).HasCalled = true;
        await next(context);
        try
        {
            await context.Response.CompleteAsync().WaitAsync(EndTimeout, _time);
        }
        catch (TimeoutException)
        {
            context.Abort();
        }
    }
}
