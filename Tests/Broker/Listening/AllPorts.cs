using System.Net;
using Whip.Hosting.Listening;
using Whip.Hosting.Metrics;
using Whip.Hosting.Programs;
using Whip.Proxy;

namespace Whip.Tests.Broker.Listening;

/// <summary>A broker of a cluster, its metrics, and a proxy of the same process: every port that Whip has.</summary>
internal sealed class AllPorts : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TestCluster _cluster;
    private readonly WebPages _metrics;
    private readonly WhipProxy _proxy;

    private AllPorts(TestCluster cluster, WebPages metrics, bool tls)
    {
        (_cluster, _metrics) = (cluster, metrics);
        var options = new WhipProxyOptions { Dialer = Broker.Broker, ListenPort = 0 };
        if (tls)
        {
            var files = TestCertificates.Shared.WriteFiles(_folder.FullName);
            (options.ServerCertPath, options.ServerKeyPath) = (files.CertPath, files.KeyPath);
        }

        _proxy = new WhipProxy(options, Broker.Logs);
    }

    public TestBroker Broker => _cluster[0];

    public static async Task<AllPorts> StartAsync(bool tls)
    {
        var cluster = await TestCluster.StartAsync(tls, brokers: 1, options => options.AdminListen = "127.0.0.1:0");
        IWhipProgram broker = cluster[0].Broker;
        var port = new PortKind("metrics", "the metrics port of whip-x (--metrics-listen)", Visitor.Browser) { OnLeg = broker.LegAtAnotherPort };
        var metrics = await WebPages.StartAsync(
            port, new IPEndPoint(IPAddress.Loopback, 0), pages => MetricsPages.Map(pages, cluster[0].Metrics, () => true), Descriptors.Many, cluster[0].Logs,
            TimeProvider.System, default);
        var ports = new AllPorts(cluster, metrics, tls);
        await ports._proxy.StartAsync();
        return ports;
    }

    public IPEndPoint EndPoint(string port) => port switch
    {
        "metrics" => _metrics.LocalEndPoint,
        "proxy" => new IPEndPoint(IPAddress.Loopback, _proxy.LocalEndPoint.Port),
        "admin" => Broker.Broker.AdminEndPoint!,
        "silo" => (IPEndPoint)((IWhipProgram)Broker.Broker).BoundAddresses.Single(address => address.Name == "silo").EndPoint,
        _ => Listeners.EndPoint(Broker, port),
    };

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _metrics.DisposeAsync();
        await _cluster.DisposeAsync();
        _folder.Dispose();
    }
}
