using Whip.Hosting.Flags;
using Options = Whip.Broker.WhipBrokerOptions;

namespace Whip.Broker;

/// <summary>The flags of <c>whip-broker</c>.</summary>
internal sealed class BrokerFlags : ProgramFlags
{
    public BrokerFlags()
        : base(
            "whip-broker",
            "Takes the registrations of agents and joins dialers to them.",
            static () => new Options { AdminListen = "127.0.0.1:8081" },
            metricsListen: ":8080")
    {
        Add(nameof(Options.GrpcListen), "HOST:PORT", "Where agents register.");
        Add(nameof(Options.TcpListen), "HOST:PORT", "Where agents bring their legs.");
        Add(nameof(Options.DialListen), "HOST:PORT", "Where dialers send CONNECT; off is nowhere.");
        Add(
            nameof(Options.ExternalTcp), "HOST:PORT",
            "Where agents reach --tcp-listen; the bound address unless that is every interface. Port 0 is the bound port.");
        Add(
            nameof(Options.DialPolicyPath), "FILE",
            "JSON rules of who may dial what, reloaded when they change. Without it every certificate of the CA may dial everything.", "dial-policy",
            isRestriction: true);
        Add(nameof(Options.BrokerId), "NAME", "The broker's name; by default the one in its certificate, or a random one.");
        Add(nameof(Options.Cluster), "", "Whether this broker is the only one, or one of an Orleans cluster whose membership is in PostgreSQL.");
        Add(nameof(Options.ClusterId), "NAME", "The cluster's name, the same at all its brokers.");
        Add(nameof(Options.Postgres), "CONNECTION", "The cluster's PostgreSQL; preferably in WHIP_POSTGRES, because ps shows arguments.", isSecret: true);
        Add(
            nameof(Options.ExternalDial), "HOST:PORT",
            "Where other brokers, and dialers sent there, reach --dial-listen; the bound address unless that is every interface.");
        Add(
            nameof(Options.ExternalGrpc), "HOST:PORT",
            "Where other brokers and agents reach --grpc-listen; the bound address unless that is every interface.");
        Add(nameof(Options.SiloListen), "HOST:PORT", "With --cluster orleans: where the other brokers' silos connect.");
        Add(nameof(Options.ExternalSilo), "HOST:PORT", "Where they reach --silo-listen; the bound address unless that is every interface.");
        Add(nameof(Options.GatewayListen), "HOST:PORT", "With --cluster orleans: where Orleans clients connect, which no program of Whip is; off is nowhere.");
        Add(nameof(Options.Zone), "NAME", "The location of this broker, such as a datacentre.");
        Add(nameof(Options.Balance), "", "How a dial of a domain chooses its instance.");
        Add(nameof(Options.PreferZone), "", "Send dials of a domain to instances of --zone as long as there are any.");
        Add(nameof(Options.AdminListen), "HOST:PORT", "Where to serve the admin API, plain HTTP, for whip status, clients and explain; off is nowhere.");
        Add(nameof(Options.AdminTokenPath), "FILE", "The token that admin requests must carry; needed beyond the loopback interface.");
        Add(nameof(Options.AdminHosts), "HOST", "One more host name, with or without a port, that admin requests may be addressed to.", "admin-host");
        Add(nameof(Options.DrainTimeout), "DURATION", "How long relays may go on after SIGTERM before they are reset.");
        Add(nameof(Options.DrainDelay), "DURATION", "In a cluster, how long dials are still accepted after SIGTERM, so that load balancers see /readyz first.");
    }
}
