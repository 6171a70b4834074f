using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Whip.Hosting.Listening;

/// <summary>Pages over plain HTTP/1.1, at an address of their own.</summary>
internal sealed class WebPages : IAsyncDisposable
{
    // A few scrapers, probes and people; whoever stalls is cut by Kestrel's own timeouts.
    private const int MaxConnections = 100;

    private readonly WebApplication _application;

    private WebPages(WebApplication application) => _application = application;

    public IPEndPoint LocalEndPoint { get; private set; } = null!;

    /// <param name="listen">Port 0 picks a free one.</param>
    /// <param name="map">Adds the pages.</param>
    /// <param name="loggers">For what goes wrong inside.</param>
    /// <param name="cancellationToken">Ends the start.</param>
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
        // Cancelled: connections that are open are cut, not waited for.
        await _application.StopAsync(new CancellationToken(canceled: true));
        await _application.DisposeAsync();
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
