using System.Net;
using System.Net.Sockets;
using Prometheus;
using Whip.Agent;
using Whip.Agent.Legs;
using Whip.Hosting.Listening;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Tests.Agent;

/// <summary>Runs real agents against scripted brokers, with a service of the test's own behind them; nothing may be left open.</summary>
public abstract class AgentTest : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly List<IAsyncDisposable> _started = [];
    private TcpListener _service = new(IPAddress.Loopback, 0);

    protected AgentTest()
    {
        _service.Start();
        ServicePort = ((IPEndPoint)_service.LocalEndpoint).Port;
    }

    /// <summary>Where the published service listens.</summary>
    private protected int ServicePort { get; }

    private protected CollectorRegistry Metrics { get; } = Prometheus.Metrics.NewCustomRegistry();

    private protected CapturedLogs Logs { get; } = new();

    private protected async Task<ScriptedBroker> StartBrokerAsync(bool tls = false, IPAddress? address = null, int port = 0, TlsIdentity? identity = null)
    {
        var endPoint = new IPEndPoint(address ?? IPAddress.Loopback, port);
        var broker = await ScriptedBroker.StartAsync(endPoint, identity ?? (tls ? TestCertificates.Shared.BrokerIdentity : null));
        _started.Add(broker);
        return broker;
    }

    private protected Task<WhipAgent> StartAgentAsync(ScriptedBroker broker, bool tls = false, Action<WhipAgentOptions>? change = null) =>
        StartAgentAsync([$"127.0.0.1:{broker.Grpc.Port}"], tls, change);

    private protected async Task<WhipAgent> StartAgentAsync(
        string[] endpoints, bool tls = false, Action<WhipAgentOptions>? change = null, TimeProvider? time = null, HostResolver? resolve = null,
        HandshakeSlots? openings = null, DescriptorBudget? descriptors = null, IDialAcceptor? acceptor = null)
    {
        var options = new WhipAgentOptions
        {
            Hostname = "a",
            Domain = "testdom",
            Ports = [ServicePort],
            Endpoints = endpoints,
            Tls = tls ? TestCertificates.Shared.WriteClientFiles(_folder.FullName, "a.testdom") : new WhipTlsOptions { Enabled = false },
        };
        change?.Invoke(options);
        var agent = new WhipAgent(
            options, openings ?? WhipAgent.NewOpenings(TimeProvider.System), Logs, Metrics, time ?? TimeProvider.System, resolve, descriptors: descriptors,
            acceptor: acceptor);
        _started.Insert(0, agent);
        await agent.StartAsync();
        return agent;
    }

    /// <summary>Every name is on this machine.</summary>
    private protected static Task<IPAddress[]> LoopbackAsync(string host, CancellationToken cancellationToken) =>
        Task.FromResult<IPAddress[]>([IPAddress.Loopback]);

    /// <summary>A broker, an agent that knows no other, and its registration there.</summary>
    private protected async Task<(ScriptedBroker Broker, WhipAgent Agent, ScriptedStream Stream)> RegisterAsync(
        bool tls = false, Action<WhipAgentOptions>? change = null)
    {
        var broker = await StartBrokerAsync(tls);
        var agent = await StartAgentAsync(broker, tls, change);
        return (broker, agent, await broker.RegisterAsync());
    }

    /// <summary>The agent's connection to its service.</summary>
    private protected async Task<NetworkStream> AcceptServiceAsync() =>
        new(await _service.AcceptSocketAsync().WaitAsync(Patience.Long), ownsSocket: true);

    private protected void StopService() => _service.Stop();

    private protected void StartService()
    {
        _service = new TcpListener(IPAddress.Loopback, ServicePort);
        _service.Start();
    }

    /// <summary>Disposes it at the end of the test.</summary>
    private protected T Closing<T>(T connection)
        where T : IAsyncDisposable
    {
        _started.Add(connection);
        return connection;
    }

    private protected bool HasPendingService() => _service.Pending();

    private protected static Task UntilIdleAsync(WhipAgent agent) => Patience.UntilAsync(
        () => agent is { OpenRelays: 0, PendingConnects: 0, RentedBuffers: 0 }, "an idle agent");

    private protected Task<string> ScrapeAsync() => Scrape.ReadAsync(Metrics);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var started in _started)
        {
            await started.DisposeAsync().AsTask().WaitAsync(Patience.Long);
        }

        foreach (var agent in _started.OfType<WhipAgent>())
        {
            Assert.Equal((0, 0, 0, 0), (agent.OpenRelays, agent.PendingConnects, agent.RentedBuffers, agent.HomeCount));
        }

        Logs.Dispose();
        _service.Stop();
        _folder.Dispose();
    }
}
