using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Whip.Hosting.Health;

/// <summary>Serves one application over plain HTTP/1.1. Kestrel alone: a web host would take the process' signals.</summary>
internal sealed class PlainHttpServer : IAsyncDisposable
{
    // A few scrapers, probes and people; whoever stalls is cut by Kestrel's own timeouts.
    private const int MaxConnections = 100;

    private readonly KestrelServer _kestrel;

    private PlainHttpServer(KestrelServer kestrel) => _kestrel = kestrel;

    public IPEndPoint LocalEndPoint { get; private set; } = null!;

    /// <exception cref="IOException">The end point cannot be bound.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The end point cannot be bound.</exception>
    public static async Task<PlainHttpServer> StartAsync(
        IPEndPoint listen, IHttpApplication<HttpContext> application, ILoggerFactory loggerFactory, CancellationToken cancellationToken)
    {
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxConcurrentConnections = MaxConnections;
        options.Listen(listen, endPoint =>
        {
            endPoint.Protocols = HttpProtocols.Http1;
            endPoint.Use(AnswerAfterEndOfRequests);
        });
        var transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), loggerFactory);
        var kestrel = new KestrelServer(Options.Create(options), transport, loggerFactory);
        var server = new PlainHttpServer(kestrel);
        try
        {
            await kestrel.StartAsync(application, cancellationToken);
        }
        catch
        {
            kestrel.Dispose();
            throw;
        }

        var bound = new Uri(kestrel.Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        server.LocalEndPoint = new IPEndPoint(listen.Address, bound.Port);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        // Cancelled: connections that are open are cut, not waited for.
        await _kestrel.StopAsync(new CancellationToken(canceled: true));
        _kestrel.Dispose();
    }

    /// <summary>
    /// Kestrel takes the end of what the client sends for the client's end, and drops the answer it has in hand. A client that has merely
    /// finished sending is answered; one that is gone is noticed when it is written to. A stop still cuts.
    /// </summary>
    private static ConnectionDelegate AnswerAfterEndOfRequests(ConnectionDelegate next) => connection =>
    {
        connection.ConnectionClosed = connection.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>().ConnectionClosedRequested;
        return next(connection);
    };
}
