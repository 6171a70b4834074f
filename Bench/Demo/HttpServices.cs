using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Whip.Hosting.Listening;

namespace Whip.Bench.Demo;

/// <summary>
/// HTTP services that answer every request with their name: each on a loopback address of its own, all on the same port, so that a dial of a domain may
/// reach any of its instances.
/// </summary>
internal sealed class HttpServices : IAsyncDisposable
{
    private readonly WebApplication _application;

    public HttpServices(IReadOnlyList<string> names)
    {
        // An empty builder has no signals, logs and settings of its own.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            foreach (var i in Enumerable.Range(0, names.Count))
            {
                kestrel.Listen(Host(i), Port, endPoint => endPoint.Use(WebPages.AnswerAfterEndOfRequests));
            }
        });
        _application = builder.Build();
        _application.Run(context =>
        {
            var name = names[context.Connection.LocalIpAddress!.GetAddressBytes()[3] - 1];
            return context.Response.WriteAsync($"Hello from {name}\n", context.RequestAborted);
        });
    }

    public int Port { get; } = FreePort.Find(1)[0];

    /// <summary>The address of the service with this index.</summary>
    public static IPAddress Host(int index) => new([127, 0, 0, (byte)(index + 1)]);

    public Task StartAsync(CancellationToken cancellationToken) => _application.StartAsync(cancellationToken);

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
