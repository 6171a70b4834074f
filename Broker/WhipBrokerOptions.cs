namespace Whip.Broker;

/// <summary>The options of a broker. Addresses are <c>HOST:PORT</c> or <c>:PORT</c> (every interface; loopback without TLS); port 0 picks a free one.</summary>
public sealed class WhipBrokerOptions : ICheckedOptions
{
    /// <summary>Where agents register, by gRPC; default <c>:50051</c>.</summary>
    public string GrpcListen { get; set; } = ":50051";

    /// <summary>Where the agents' legs arrive; default <c>:8000</c>.</summary>
    public string TcpListen { get; set; } = ":8000";

    /// <summary>Where dialers send CONNECT; default <c>:8010</c>. Empty: no dial front, only the embedding program dials.</summary>
    public string DialListen { get; set; } = ":8010";

    /// <summary><c>HOST:PORT</c> at which agents reach <see cref="TcpListen"/>; default the bound address, required when that is a wildcard.</summary>
    public string? ExternalTcp { get; set; }

    /// <summary>A JSON file of who may dial what; default none: every certificate of the CA may dial everything.</summary>
    public string? DialPolicyPath { get; set; }

    /// <summary>The name of this broker for agents and other brokers; default the one its certificate names, else a random name per start.</summary>
    public string? BrokerId { get; set; }

    /// <summary>How brokers find each other; default <see cref="ClusterEngine.Embedded"/>: there is only this one.</summary>
    public ClusterEngine Cluster { get; set; }

    /// <summary>The cluster's name, the same at all its brokers; default <c>whip</c>.</summary>
    public string ClusterId { get; set; } = "whip";

    /// <summary>The PostgreSQL of the cluster, <c>Host=…;Username=…;Password=…;Database=…</c> or a <c>postgres://</c> URI. Never logged.</summary>
    public string? Postgres { get; set; }

    /// <summary><c>HOST:PORT</c> at which other brokers reach <see cref="DialListen"/> and dialers are sent there; default the bound address.</summary>
    public string? ExternalDial { get; set; }

    /// <summary><c>HOST:PORT</c> at which other brokers and agents reach <see cref="GrpcListen"/>; default the bound address.</summary>
    public string? ExternalGrpc { get; set; }

    /// <summary>With <see cref="ClusterEngine.Orleans"/>, where the silos of other brokers connect; default <c>:11111</c>.</summary>
    public string SiloListen { get; set; } = ":11111";

    /// <summary>
    /// <c>HOST:PORT</c> at which they reach <see cref="SiloListen"/>; a name is resolved once. Default the bound address, required when that is a wildcard.
    /// </summary>
    public string? ExternalSilo { get; set; }

    /// <summary>With <see cref="ClusterEngine.Orleans"/>, where Orleans clients connect, which no program of Whip is; default <c>off</c>: nowhere.</summary>
    public string GatewayListen { get; set; } = "off";

    /// <summary>The location of this broker, such as a datacentre; default none.</summary>
    public string Zone { get; set; } = "";

    /// <summary>Dials of a domain that arrive here go to instances of <see cref="Zone"/> as long as there are some; default false.</summary>
    public bool PreferZone { get; set; }

    /// <summary>How a dial of a domain chooses its instance; default <see cref="BalancePolicy.Random"/>.</summary>
    public BalancePolicy Balance { get; set; }

    /// <summary>
    /// Where to serve the admin API over plain HTTP; default empty: not served. Beyond the loopback interface it needs <see cref="AdminTokenPath"/>.
    /// </summary>
    public string AdminListen { get; set; } = "";

    /// <summary>A file with the token that admin requests must carry as <c>Authorization: Bearer</c>; default none. Read at the start.</summary>
    public string? AdminTokenPath { get; set; }

    /// <summary>Host names, with or without a port, that admin requests may be addressed to besides the bound address.</summary>
    public IList<string> AdminHosts { get; } = [];

    /// <summary>How long relays may go on after a stop before they are reset; default 30 seconds.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>In a cluster, how long dials are still accepted after a stop, so that load balancers see <c>/readyz</c> first; default 5 seconds.</summary>
    public TimeSpan DrainDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The broker's certificate and the CA of its peers.</summary>
    public WhipTlsOptions Tls { get; set; } = new();

    /// <summary>The limits.</summary>
    public WhipLimits Limits { get; } = new();

    void ICheckedOptions.Check() => BrokerOptionsCheck.Check(this);
}

/// <summary>How a broker finds the others of its cluster.</summary>
public enum ClusterEngine
{
    /// <summary>It is the only broker.</summary>
    Embedded,

    /// <summary>It is a silo of an Orleans cluster, whose membership is in PostgreSQL.</summary>
    Orleans,
}
