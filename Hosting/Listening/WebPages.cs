using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Whip.Hosting.Listening;

/// <summary>Serves pages over plain HTTP/1.1 at one address.</summary>
internal sealed class WebPages : IAsyncDisposable
{
    // For a few scrapers, probes and people. Kestrel's timeouts end a client that stalls.
    private const int MaxConnections = 100;

    private readonly WebApplication _application;

    private WebPages(WebApplication application) => _application = application;

    public IPEndPoint LocalEndPoint { get; private set; } = null!;

    /// <exception cref="IOException">The end point cannot be bound.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The end point cannot be bound.</exception>
    public static async Task<WebPages> StartAsync(IPEndPoint listen, Action<WebApplication> map, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var builder = InnerHost.CreateBuilder(loggers);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            kestrel.Listen(listen, endPoint =>
            {
                endPoint.Protocols = HttpProtocols.Http1;
                endPoint.Use(AnswerAfterEndOfRequests);
            });
        });
        var pages = new WebPages(builder.Build());
        try
        {
            map(pages._application);
            await pages._application.StartAsync(cancellationToken);
            pages.LocalEndPoint = new IPEndPoint(listen.Address, new Uri(pages._application.Urls.Single()).Port);
            return pages;
        }
        catch
        {
            await pages.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // The cancelled token cuts open connections at once.
        await _application.StopAsync(new CancellationToken(canceled: true));
        await _application.DisposeAsync();
    }

    /// <summary>
    /// Kestrel takes a half-close of the client for the end of the connection, and drops its answer. With this, a client that has only finished
    /// sending gets its answer, and one that is gone is noticed by the write. A stop still ends the connection.
    /// </summary>
    private static ConnectionDelegate AnswerAfterEndOfRequests(ConnectionDelegate next) => connection =>
    {
        connection.ConnectionClosed = connection.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>().ConnectionClosedRequested;
        return next(connection);
    };
}
