using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Whip.Hosting.Grpc;

/// <summary>One control listener: gRPC for <see cref="Protocol.Grpc.GrpcMethods"/> over a Kestrel of its own.</summary>
internal sealed class ControlServer : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly KestrelServer _server;
    private ListenOptions? _listen;
    private readonly CancellationTokenSource _stopping = new();

    private ControlServer(ControlServerOptions options, ILoggerFactory loggerFactory)
    {
        var kestrel = ControlLimits.Apply(new KestrelServerOptions());
        var connections = new ConnectionAdmission(options, loggerFactory.CreateLogger<ControlServer>());
        kestrel.Listen(options.Listen, listen =>
        {
            _listen = listen;
            listen.Protocols = HttpProtocols.Http2;
            listen.Use(next => connection => connections.RunAsync(connection, next));
        });
        var quiet = new WarningLoggerFactory(loggerFactory);
        var sockets = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), quiet);
        _server = new KestrelServer(Options.Create(kestrel), sockets, quiet);
    }

    public IPEndPoint LocalEndPoint => _listen!.IPEndPoint!;

    /// <exception cref="IOException">The address cannot be bound.</exception>
    public static async Task<ControlServer> StartAsync(
        ControlServerOptions options, IControlService service, ILoggerFactory loggerFactory, CancellationToken cancellationToken)
    {
        var server = new ControlServer(options, loggerFactory);
        try
        {
            var calls = new ControlCalls(service, options.MaxMessageSize);
            var handler = new ControlCallHandler(calls, loggerFactory.CreateLogger<ControlServer>(), server._stopping.Token);
            await server._server.StartAsync(handler, cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>GOAWAY on every connection; open calls end with Unavailable. Within 5 seconds, or when cancelled, the rest is cut. Idempotent.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(StopTimeout);
        var stop = _server.StopAsync(bound.Token);
        await _stopping.CancelAsync();
        await stop;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        _server.Dispose();
    }
}
