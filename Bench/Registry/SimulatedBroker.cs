using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Broker.ControlStreams;
using Whip.Broker.Listening;
using Whip.Broker.Peers;
using Whip.Hosting;
using Whip.Hosting.Listening;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;
using Whip.Registry;
using Whip.Registry.Membership;
using Whip.Registry.Routes;

namespace Whip.Bench.Registry;

/// <summary>What a broker is to its peers: a control listener that answers links from its own table. Its streams have no agents behind them.</summary>
internal sealed class SimulatedBroker : IAsyncDisposable
{
    public const int Port = 5051;
    public const string ClusterId = "bench";

    // As many as a domain of services has.
    private const int InstancesPerDomain = 1000;

    private readonly PeerService _service;
    private ControlListener? _server;

    private SimulatedBroker(string id)
    {
        Credentials = new ClusterCredentials(ClusterId, id, tls: null, secret: null);
        _service = new PeerService(Credentials, Routes, NullLogger.Instance, TimeProvider.System);
    }

    public ClusterCredentials Credentials { get; }

    public LocalRoutes Routes { get; } = new(maxWatchesPerName: 256);

    public LiveStreams Streams { get; } = new();

    public BrokerMember Member
    {
        get
        {
            var address = _server!.LocalEndPoint.ToString();
            return new BrokerMember { Id = Credentials.BrokerId, ExternalGrpc = address, ExternalTcp = address, ExternalDial = address };
        }
    }

    public static async Task<SimulatedBroker> StartAsync(string id, CancellationToken cancellationToken)
    {
        var broker = new SimulatedBroker(id);
        var limits = new WhipLimits();
        var admission = new ConnectionAdmission(tls: null, new UnauthenticatedGate(100), limits, onRejected: null, NullLogger.Instance, TimeProvider.System);
        broker._server = await ControlListener.StartAsync(
            new IPEndPoint(IPAddress.Loopback, 0),
            admission,
            [WhipPeers.BindService(new PeerEndpoint(broker._service, CancellationToken.None))],
            limits,
            NullLoggerFactory.Instance,
            TimeProvider.System,
            cancellationToken);
        return broker;
    }

    /// <summary>The name of the stream of this number, in whichever broker it is.</summary>
    public static string NameOf(int number) =>
        string.Create(CultureInfo.InvariantCulture, $"instance{number}.domain{number / InstancesPerDomain}");

    public static string DomainOf(int number) => string.Create(CultureInfo.InvariantCulture, $"domain{number / InstancesPerDomain}");

    /// <summary>Attaches a stream as the holder does, but for the call itself.</summary>
    public void Attach(int number)
    {
        _ = InstanceName.TryParse(NameOf(number), out var name);
        var route = new StreamRoute
        {
            StreamId = number.ToString("x32", CultureInfo.InvariantCulture),
            BrokerId = Credentials.BrokerId,
            Name = name,
            Ports = [Port],
            AgentId = number.ToString("x32", CultureInfo.InvariantCulture),
            Generation = 1,
        };
        Streams.Add(new AgentStream(route, new IPEndPoint(IPAddress.Loopback, 1 + (number % 65535)), isOurs: true, maxPending: 256));
        Routes.Add(route);
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
