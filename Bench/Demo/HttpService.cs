using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Hosting.Health;

namespace Whip.Bench.Demo;

/// <summary>An HTTP service that answers every request with its name.</summary>
internal sealed class HttpService : IAsyncDisposable
{
    private const int Tries = 20;

    private readonly PlainHttpServer _server;

    private HttpService(PlainHttpServer server) => _server = server;

    public IPAddress Host => _server.LocalEndPoint.Address;

    public int Port => _server.LocalEndPoint.Port;

    /// <summary>Services of one domain: each on a loopback address of its own, all on the same port, so that a dial of the domain may reach any.</summary>
    public static async Task<IReadOnlyList<HttpService>> StartAllAsync(IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        for (var tries = Tries; ; tries--)
        {
            var services = new List<HttpService>();
            try
            {
                foreach (var name in names)
                {
                    var host = new IPAddress([127, 0, 0, (byte)(services.Count + 1)]);
                    services.Add(await StartAsync(name, host, services.Count == 0 ? 0 : services[0].Port, cancellationToken));
                }

                return services;
            }
            catch (IOException) when (tries > 1)
            {
                // The port that was free on the first address is taken on another.
                await DisposeAllAsync(services);
            }
        }
    }

    public static async Task DisposeAllAsync(IEnumerable<HttpService> services)
    {
        foreach (var service in services)
        {
            await service.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    private static async Task<HttpService> StartAsync(string name, IPAddress host, int port, CancellationToken cancellationToken) =>
        new(await PlainHttpServer.StartAsync(new IPEndPoint(host, port), new Greeting(name), NullLoggerFactory.Instance, cancellationToken));

    private sealed class Greeting(string name) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }

        public Task ProcessRequestAsync(HttpContext context) => context.Response.WriteAsync($"Hello from {name}\n", context.RequestAborted);
    }
}
