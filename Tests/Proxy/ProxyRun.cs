using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Prometheus;
using Whip.Protocol.Legs;
using Whip.Proxy;

namespace Whip.Tests.Proxy;

/// <summary>A proxy over a <see cref="FakeDialer"/>, plain or with TLS toward its clients.</summary>
internal sealed class ProxyRun : IAsyncDisposable
{
    private readonly bool _tls;
    private readonly TempFolder _folder = new();
    private readonly List<IDisposable> _clients = [];

    private ProxyRun(bool tls) => _tls = tls;

    public FakeDialer Dialer { get; } = new();

    public CapturedLogs Logs { get; } = new();

    public CollectorRegistry Metrics { get; } = Prometheus.Metrics.NewCustomRegistry();

    public WhipProxy Proxy { get; private set; } = null!;

    public IPEndPoint EndPoint => new(IPAddress.Loopback, Proxy.LocalEndPoint.Port);

    public string Url => $"{(_tls ? "https" : "http")}://127.0.0.1:{EndPoint.Port}";

    public string CaPath => Path.Combine(_folder.FullName, "ca-cert.pem");

    /// <summary>The same, with instance1.testdom:80 and :5051 leading to <paramref name="service"/>.</summary>
    public static async Task<ProxyRun> StartAsync(
        Service service, bool tls = false, Action<WhipProxyOptions>? configure = null, TimeProvider? time = null)
    {
        var run = await StartAsync(tls, configure, time);
        run.Dialer.Map("instance1.testdom:80", service.EndPoint);
        run.Dialer.Map("instance1.testdom:5051", service.EndPoint);
        return run;
    }

    public static async Task<ProxyRun> StartAsync(bool tls = false, Action<WhipProxyOptions>? configure = null, TimeProvider? time = null)
    {
        var run = new ProxyRun(tls);
        var options = new WhipProxyOptions { Dialer = run.Dialer, ListenPort = 0 };
        if (tls)
        {
            var files = TestCertificates.Shared.WriteFiles(run._folder.FullName);
            (options.ServerCertPath, options.ServerKeyPath) = (files.CertPath, files.KeyPath);
        }

        configure?.Invoke(options);
        run.Proxy = new WhipProxy(options, run.Logs, run.Metrics, time ?? TimeProvider.System);
        await run.Proxy.StartAsync();
        return run;
    }

    /// <summary>A connection to the proxy, for bytes by hand.</summary>
    public async Task<Leg> ConnectAsync()
    {
        var leg = await Leg.ConnectAsync(EndPoint, default).WaitAsync(Patience.Long);
        _clients.Add(leg);
        if (_tls)
        {
            await leg.AuthenticateAsClientAsync(TestCertificates.Shared.ClientIdentity("any.testdom"), "127.0.0.1", default).WaitAsync(Patience.Long);
        }

        return leg;
    }

    /// <summary>The answer to one request on a connection of its own.</summary>
    public async Task<string> AskAsync(string request) => await (await ConnectAsync()).AskAsync(request);

    /// <summary>All that the proxy sends, to the end of the connection, for one request on a connection of its own.</summary>
    public async Task<string> AllForAsync(string request)
    {
        var client = await ConnectAsync();
        await client.SendAsync(request);
        return await Wire.ReadToEndAsync(client);
    }

    /// <summary>A client that goes through the proxy and trusts only the tests' CA.</summary>
    public HttpClient CreateClient(string? userPassword = null)
    {
        var client = new HttpClient(CreateHandler(userPassword)) { Timeout = Patience.Long };
        _clients.Add(client);
        return client;
    }

    public SocketsHttpHandler CreateHandler(string? userPassword = null) => new()
    {
        Proxy = new WebProxy(Url) { Credentials = userPassword?.Split(':') is [var user, var password] ? new NetworkCredential(user, password) : null },
        SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = TrustInRoots() },
    };

    public Task<string> ScrapeAsync() => Scrape.ReadAsync(Metrics);

    private static X509ChainPolicy TrustInRoots()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(TestCertificates.Shared.Roots);
        return policy;
    }

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        await Proxy.DisposeAsync().AsTask().WaitAsync(Patience.Long);
        _folder.Dispose();
        Logs.Dispose();
    }
}
