using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Whip.Hosting.Listening;

/// <summary>Serves pages over plain HTTP/1.1 at one address. When it has many connections, the one that has been idle longest is closed.</summary>
internal sealed class WebPages : IAsyncDisposable
{
    // For a few scrapers, probes and people.
    private const int MaxConnections = 100;

    // For a request head, and until the next one begins.
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(10);

    private readonly WebApplication _application;

    private WebPages(WebApplication application) => _application = application;

    public IPEndPoint LocalEndPoint { get; private set; } = null!;

    /// <exception cref="IOException">The end point cannot be bound.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The end point cannot be bound.</exception>
    public static async Task<WebPages> StartAsync(
        PortKind port, IPEndPoint listen, Action<WebApplication> map, DescriptorBudget descriptors, ILoggerFactory loggers, TimeProvider time,
        CancellationToken cancellationToken)
    {
        var guard = new PageGuard(port, IdleTimeout, loggers.CreateLogger("Whip.Listening"), time);
        var builder = InnerHost.CreateBuilder(loggers);
        var gate = new UnauthenticatedGate(MaxConnections, descriptors);
        builder.Services.AddSingleton<IConnectionListenerFactory>(new GatedTransport(port.Name, gate, descriptors, evicted: null, loggers, time));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.RequestHeadersTimeout = IdleTimeout;
            kestrel.Limits.KeepAliveTimeout = IdleTimeout;
            kestrel.Listen(listen, endPoint =>
            {
                endPoint.Protocols = HttpProtocols.Http1;
                endPoint.Use(guard.Use);
                endPoint.Use(AnswerAfterEndOfRequests);
            });
        });
        var pages = new WebPages(builder.Build());
        try
        {
            pages._application.Use(AnswerBeforeEvictionAsync);
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
    public static ConnectionDelegate AnswerAfterEndOfRequests(ConnectionDelegate next) => connection =>
    {
        connection.ConnectionClosed = connection.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>().ConnectionClosedRequested;
        return next(connection);
    };

    /// <summary>A connection is not closed for a newer one while a request on it is answered.</summary>
    private static async Task AnswerBeforeEvictionAsync(HttpContext context, RequestDelegate next)
    {
        var entry = context.Features.GetRequiredFeature<UnauthenticatedGate.Entry>();
        entry.Shield();
        try
        {
            await next(context);
            await context.Response.CompleteAsync();
        }
        finally
        {
            entry.Unshield();
        }
    }
}
