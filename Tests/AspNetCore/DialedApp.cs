using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Whip.Agent;
using Whip.AspNetCore;
using Whip.Client;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Tests.AspNetCore;

/// <summary>An app of this process that is the agent of <c>web.testdom</c> at a real broker, and dialers of it.</summary>
internal sealed class DialedApp : IAsyncDisposable
{
    public const string Name = "web.testdom";

    /// <summary>Nothing of this machine listens there.</summary>
    public const int Port = 80;

    /// <summary>For TLS of the app itself.</summary>
    public static readonly X509Certificate2 AppCertificate = TestCertificates.Shared.BrokerIdentity.Certificate;

    private readonly TempFolder _folder = new();
    private readonly List<IDisposable> _clients = [];

    private DialedApp(TestBroker broker, bool tls, WebApplicationBuilder builder, Action<WhipAgentOptions>? change, Action<int, ListenOptions>? listen)
    {
        Broker = broker;
        builder.WebHost.UseKestrelCore().UseWhip(
            options =>
            {
                (options.Hostname, options.Domain, options.Ports) = ("web", "testdom", [Port]);
                options.Endpoints.Add($"{broker.Broker.GrpcEndPoint}");
                options.Tls = tls ? TestCertificates.Shared.WriteClientFiles(_folder.FullName, Name) : new WhipTlsOptions { Enabled = false };
                change?.Invoke(options);
            },
            listen);
        App = builder.Build();
        App.UseWebSockets();
    }

    public WebApplication App { get; }

    public TestBroker Broker { get; }

    public WhipAgent Agent => App.Services.GetRequiredService<WhipAgent>();

    /// <summary>An app that has registered.</summary>
    public static async Task<DialedApp> StartAsync(
        TestBroker broker, bool tls, Action<WebApplication> map, Action<WebApplicationBuilder>? build = null, Action<WhipAgentOptions>? change = null,
        Action<int, ListenOptions>? listen = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.Logging.AddProvider(broker.Logs);
        build?.Invoke(builder);
        var app = new DialedApp(broker, tls, builder, change, listen);
        map(app.App);
        await app.App.StartAsync().WaitAsync(Patience.Long);
        await Patience.UntilAsync(() => app.Agent.IsReady, "the registration");
        return app;
    }

    public WhipDialer Dialer(string name = "dialer.testdom") =>
        new(new WhipDialerOptions { Brokers = [$"{Broker.Broker.DialEndPoint}"] }, Broker.Client(name), TimeProvider.System, first: 0);

    public Task<WhipStream> DialAsync(int port = Port) => Dialer().DialAsync(Name, port).WaitAsync(Patience.Long);

    /// <summary>Disposed with the app.</summary>
    public HttpClient Client(string dialer = "dialer.testdom", Version? version = null, int port = Port, string scheme = "http")
    {
        var handler = WhipHttp.CreateHandler(Dialer(dialer), Patience.Long);
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => shown!.Equals(AppCertificate);
        var client = new HttpClient(handler)
        {
            BaseAddress = new Uri($"{scheme}://{Name}:{port}/"),
            DefaultRequestVersion = version ?? new Version(1, 1),
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = Patience.Long,
        };
        _clients.Add(client);
        return client;
    }

    public static byte[] Request(string path, string headers = "Connection: close\r\n") =>
        Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {Name}\r\n{headers}\r\n");

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        await App.StopAsync().WaitAsync(Patience.Long);
        await App.DisposeAsync().AsTask().WaitAsync(Patience.Long);
        _folder.Dispose();
    }
}
