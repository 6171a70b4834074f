using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Whip.Bench.Demo;

/// <summary>An HTTP service that answers every request with its name.</summary>
internal sealed class HttpService : IAsyncDisposable
{
    private const int Tries = 20;

    private readonly WebApplication _application;

    private HttpService(WebApplication application, IPAddress host) => (_application, Host) = (application, host);

    public IPAddress Host { get; }

    public int Port => new Uri(_application.Urls.Single()).Port;

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

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private static async Task<HttpService> StartAsync(string name, IPAddress host, int port, CancellationToken cancellationToken)
    {
        // An empty builder: no signals, no logs and no settings of its own.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(host, port));
        var application = builder.Build();
        application.Run(context => context.Response.WriteAsync($"Hello from {name}\n", context.RequestAborted));
        try
        {
            await application.StartAsync(cancellationToken);
            return new HttpService(application, host);
        }
        catch (Exception)
        {
            await application.DisposeAsync();
            throw;
        }
    }
}
