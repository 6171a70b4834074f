using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Whip.Grains;
using Whip.Grains.Membership;
using Whip.Grains.Silo;
using Whip.Hosting.Flags;
using Whip.Hosting.Programs;
using Whip.Protocol.Tls;
using Whip.Registry;
using Whip.Registry.Peers;
using Whip.Registry.Routes;

namespace Whip.Broker.Cluster;

/// <summary>Starts a silo beside a broker, once what the flags say of it holds.</summary>
internal sealed class OrleansEngine : IOrleansEngine
{
    /// <summary>What a first start takes, and more; without its silo a broker asks the others, as it would in the other engine.</summary>
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(10);

    private readonly SiloSetup _setup;
    private readonly GrainCluster _grains;
    private readonly TimeProvider _time;

    private OrleansEngine(WhipBrokerOptions options, string connectionString, string brokerId, TlsIdentity? tls, LocalRoutes local, ILoggerFactory loggers, TimeProvider time)
    {
        var listen = FreeEndPoint("--silo-listen", options.SiloListen, tls);
        _setup = new SiloSetup
        {
            ClusterId = options.ClusterId,
            BrokerId = brokerId,
            Store = new PostgresStore(connectionString, options.ClusterId),
            Listen = listen,
            External = Resolve(ExternalAddress.Of("--external-silo", options.ExternalSilo, "--silo-listen", listen)),
            GatewayListen = options.GatewayListen.Length == 0 ? null : FreeEndPoint("--gateway-listen", options.GatewayListen, tls),
            Tls = tls,
        };
        _grains = new GrainCluster(_setup, local, loggers, time);
        _time = time;
    }

    /// <exception cref="StartupException">A flag must change first.</exception>
    public static IOrleansEngine Create(WhipBrokerOptions options, string connectionString, string brokerId, TlsIdentity? tls, LocalRoutes local, ILoggerFactory loggers, TimeProvider time) =>
        new OrleansEngine(options, connectionString, brokerId, tls, local, loggers, time);

    public IHolderIndex Index => _grains.Index;

    public IReadOnlyList<BoundAddress> BoundAddresses =>
        [new("silo", _setup.Listen), .. _setup.GatewayListen is { } gateway ? [new BoundAddress("gateway", gateway)] : Array.Empty<BoundAddress>()];

    public IReadOnlyList<string> Silos => _grains.Silos;

    public RequestDelegate? Dashboard => _grains.Silo?.Dashboard;

    public IClientRegistry CreateRegistry(PeerRegistry peers) => _grains.CreateRegistry(peers);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _grains.Start();
        await _grains.Started.WaitAsync(StartPatience, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        if (_grains.Started.Exception?.InnerException is { } refused)
        {
            throw new StartupException("--cluster", "orleans", refused.Message, "");
        }
    }

    public ValueTask DisposeAsync() => _grains.DisposeAsync();

    /// <summary>Orleans binds only after the database was reached, and knows no port 0: both is settled here.</summary>
    private static IPEndPoint FreeEndPoint(string flag, string address, TlsIdentity? tls)
    {
        try
        {
            var endPoint = FlagText.Listen(flag, address).Resolve(loopbackOnly: tls is null);
            if (tls is null && !IPAddress.IsLoopback(endPoint.Address))
            {
                throw new StartupException(flag, address, "without TLS brokers are silos of one machine only", $"127.0.0.1:{endPoint.Port}, or --tls");
            }

            using var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(endPoint);
            return (IPEndPoint)socket.LocalEndPoint!;
        }
        catch (SocketException error)
        {
            throw StartupException.ForBind(flag, address, error);
        }
    }

    /// <summary>Silos know each other by address, not by name.</summary>
    private static IPEndPoint Resolve((string Host, int Port) external)
    {
        try
        {
            return new ListenAddress(external.Host, external.Port).Resolve(loopbackOnly: false);
        }
        catch (SocketException error)
        {
            throw StartupException.ForBind("--external-silo", external.Host, error);
        }
    }
}
