using Whip.Hosting.Flags;

namespace Whip.Broker;

/// <summary>The flags of <c>whip-broker</c>.</summary>
internal sealed class BrokerFlags
{
    private readonly Flag<ListenAddress> _grpcListen;
    private readonly Flag<ListenAddress> _tcpListen;
    private readonly Flag<ListenAddress?> _dialListen;
    private readonly Flag<string> _externalTcp;
    private readonly Flag<string> _dialPolicy;
    private readonly Flag<string> _brokerId;
    private readonly Flag<string> _cluster;
    private readonly Flag<string> _clusterId;
    private readonly Flag<string> _postgres;
    private readonly Flag<string> _externalDial;
    private readonly Flag<string> _externalGrpc;
    private readonly Flag<ListenAddress> _siloListen;
    private readonly Flag<string> _externalSilo;
    private readonly Flag<ListenAddress?> _gatewayListen;
    private readonly Flag<string> _zone;
    private readonly Flag<string> _balance;
    private readonly Flag<bool> _preferZone;
    private readonly Flag<ListenAddress?> _adminListen;
    private readonly Flag<string> _adminTokenPath;
    private readonly Flag<IReadOnlyList<string>> _adminHosts;
    private readonly Flag<TimeSpan> _drainTimeout;
    private readonly Flag<TimeSpan> _drainDelay;

    public BrokerFlags()
    {
        var defaults = new WhipBrokerOptions();
        Set = new FlagSet("whip-broker", "Takes the registrations of agents and joins dialers to them.", metricsListen: ":8080");
        _grpcListen = Set.Listen("grpc-listen", defaults.GrpcListen, "Where agents register.");
        _tcpListen = Set.Listen("tcp-listen", defaults.TcpListen, "Where agents bring their legs.");
        _dialListen = Set.ListenOrOff("dial-listen", defaults.DialListen, "Where dialers send CONNECT.");
        _externalTcp = Set.HostPort("external-tcp", "What agents are told of --tcp-listen; the bound address unless that is every interface. Port 0: the bound one.");
        _dialPolicy = Set.File("dial-policy", "JSON rules of who may dial what, read again when they change. Without: every certificate of the CA may dial everything.");
        _brokerId = Set.Text("broker-id", "", "The broker's name; when empty the one its certificate names, else a random one.", "NAME");
        _cluster = Set.Choice("cluster", "embedded", "Whether this broker is alone, or one of an Orleans cluster, which is kept in PostgreSQL.", "embedded", "orleans");
        _clusterId = Set.Text("cluster-id", defaults.ClusterId, "The cluster's name, the same at all its brokers.", "NAME");
        _postgres = Set.Text("postgres", "", "The cluster's PostgreSQL; better in WHIP_POSTGRES, for arguments show in ps.", "CONNECTION");
        _externalDial = Set.HostPort("external-dial", "Where other brokers, and dialers sent there, reach --dial-listen; the bound address unless that is every interface.");
        _externalGrpc = Set.HostPort("external-grpc", "Where other brokers and agents reach --grpc-listen; the bound address unless that is every interface.");
        _siloListen = Set.Listen("silo-listen", defaults.SiloListen, "With --cluster orleans: where the other brokers' silos connect.");
        _externalSilo = Set.HostPort("external-silo", "Where they reach --silo-listen; the bound address unless that is every interface.");
        _gatewayListen = Set.ListenOrOff("gateway-listen", defaults.GatewayListen, "With --cluster orleans: where Orleans clients connect; no program of Whip does.");
        _zone = Set.Text("zone", "", "Where this broker stands, such as a datacentre.", "NAME");
        _balance = Set.Choice("balance", "random", "How a dial of a domain chooses its instance.", "random", "least-connections");
        _preferZone = Set.Switch("prefer-zone", false, "Dials of a domain go to instances of --zone as long as there are some.");
        _adminListen = Set.ListenOrOff("admin-listen", "127.0.0.1:8081", "Where to serve the admin API, plain HTTP, for whip status, clients and explain.");
        _adminTokenPath = Set.File("admin-token-path", "The token that admin requests must carry; needed beyond the loopback interface.");
        _adminHosts = Set.Texts("admin-host", "One more host name, with or without a port, that admin requests may be addressed to; repeatable.", "HOST");
        _drainTimeout = Set.Duration("drain-timeout", defaults.DrainTimeout, "How long relays may go on after SIGTERM before they are reset.");
        _drainDelay = Set.Duration("drain-delay", defaults.DrainDelay, "In a cluster, how long dials are still taken after SIGTERM, so that load balancers see /readyz first.");
    }

    public FlagSet Set { get; }

    public WhipBrokerOptions Read(FlagValues values)
    {
        var options = new WhipBrokerOptions
        {
            GrpcListen = values.Get(_grpcListen).ToString(),
            TcpListen = values.Get(_tcpListen).ToString(),
            DialListen = values.Get(_dialListen)?.ToString() ?? "",
            ExternalTcp = NullIfEmpty(values.Get(_externalTcp)),
            DialPolicyPath = NullIfEmpty(values.Get(_dialPolicy)),
            DrainTimeout = values.Get(_drainTimeout),
            DrainDelay = values.Get(_drainDelay),
            Tls = values.TlsOptions,
            BrokerId = NullIfEmpty(values.Get(_brokerId)),
            Cluster = values.Get(_cluster) switch { "orleans" => ClusterEngine.Orleans, _ => ClusterEngine.Embedded },
            ClusterId = values.Get(_clusterId),
            Postgres = NullIfEmpty(values.Get(_postgres)),
            ExternalDial = NullIfEmpty(values.Get(_externalDial)),
            ExternalGrpc = NullIfEmpty(values.Get(_externalGrpc)),
            SiloListen = values.Get(_siloListen).ToString(),
            ExternalSilo = NullIfEmpty(values.Get(_externalSilo)),
            GatewayListen = values.Get(_gatewayListen)?.ToString() ?? "",
            Zone = values.Get(_zone),
            LeastConnections = values.Get(_balance) == "least-connections",
            PreferZone = values.Get(_preferZone),
            AdminListen = values.Get(_adminListen)?.ToString() ?? "",
            AdminTokenPath = NullIfEmpty(values.Get(_adminTokenPath)),
        };
        foreach (var host in values.Get(_adminHosts))
        {
            options.AdminHosts.Add(host);
        }

        return options;
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
