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
    private readonly Flag<TimeSpan> _drainTimeout;

    public BrokerFlags()
    {
        var defaults = new WhipBrokerOptions();
        Set = new FlagSet("whip-broker", "Takes the registrations of agents and joins dialers to them.", metricsListen: ":8080");
        _grpcListen = Set.Listen("grpc-listen", defaults.GrpcListen, "Where agents register.");
        _tcpListen = Set.Listen("tcp-listen", defaults.TcpListen, "Where agents bring their legs.");
        _dialListen = Set.ListenOrOff("dial-listen", defaults.DialListen, "Where dialers send CONNECT.");
        _externalTcp = Set.HostPort("external-tcp", "What agents are told of --tcp-listen; the bound address unless that is every interface. Port 0: the bound one.");
        _dialPolicy = Set.File("dial-policy", "JSON rules of who may dial what, read again when they change. Without: every certificate of the CA may dial everything.");
        _brokerId = Set.Text("broker-id", "", "The broker's name for agents and logs; a random one when empty.", "NAME");
        _drainTimeout = Set.Duration("drain-timeout", defaults.DrainTimeout, "How long relays may go on after SIGTERM before they are reset.");
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
            Tls = values.TlsOptions,
        };
        if (NullIfEmpty(values.Get(_brokerId)) is { } id)
        {
            options.BrokerId = id;
        }

        return options;
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
