using System.Net;
using Microsoft.AspNetCore.Http;
using Whip.Broker.Dialing;
using Whip.Grains;
using Whip.Grains.Members;
using Whip.Grains.Membership;
using Whip.Grains.Silos;
using Whip.Hosting.Programs;
using Whip.Protocol.Connect;
using Whip.Registry.Holders;
using Whip.Registry.Routes;

namespace Whip.Broker.Cluster;

/// <summary>The cluster as one broker sees it: its silo, the other brokers and the way to their streams.</summary>
internal sealed class BrokerCluster : IAsyncDisposable
{
    private readonly string _clusterId;
    private readonly string _brokerId;
    private readonly TlsIdentity? _tls;
    private readonly SiloSetup _silo;
    private readonly GrainCluster _grains;
    private readonly ClusterMetrics _metrics;
    private readonly TaskTracker _loops;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private SelfCheck? _selfCheck;

    /// <exception cref="WhipOptionException">An option must change first.</exception>
    public BrokerCluster(
        WhipBrokerOptions options,
        SiloEndPoints endPoints,
        string brokerId,
        TlsIdentity? tls,
        LocalRoutes local,
        ClusterMetrics metrics,
        SiloAdmission admission,
        HolderConnections holders,
        TaskTracker loops,
        ILoggerFactory loggers,
        TimeProvider time)
    {
        (_clusterId, _brokerId, _tls, _loops, _time) = (options.ClusterId, brokerId, tls, loops, time);
        _logger = loggers.CreateLogger("Whip.Broker");
        _metrics = metrics;
        _silo = ClusterOptions.Silo(options, endPoints, brokerId, tls, admission);
        _grains = new GrainCluster(_silo, local, loggers, time);
        Holders = holders;
        HolderDialer = new HolderDialer(brokerId, tls, holders, time);
        Registry = new ClusterRegistry(local, _grains.Others, time);
    }

    /// <summary>The connections to them.</summary>
    public HolderConnections Holders { get; }

    public HolderDialer HolderDialer { get; }

    public ClusterRegistry Registry { get; }

    public MemberTable Members => _grains.Members;

    /// <summary>The other brokers, as they can be asked.</summary>
    public IOtherBrokers Others => _grains.Others;

    /// <summary>It has been a silo of the cluster. Before that it knows only the names that it holds itself.</summary>
    public bool HasJoined { get; private set; }

    /// <summary>It is a silo of the cluster now.</summary>
    public bool HasSilo => _grains.Silo is not null;

    /// <summary>It has a silo, and no other broker answers at its addresses.</summary>
    public bool IsReady => HasJoined && HasSilo && _selfCheck is null or { HasChecked: true, AnotherAnswersAt: null };

    /// <summary>What keeps it from being ready, or null.</summary>
    public string? Problem => _grains.Problem is { } problem ? $"it is not a silo: {problem}"
        : _selfCheck?.AnotherAnswersAt is { } address ? $"another answers at {address}"
        : null;

    public IReadOnlyList<BoundAddress> BoundAddresses =>
        [new("silo", _silo.Listen), .. _silo.GatewayListen is { } gateway ? [new BoundAddress("gateway", gateway)] : Array.Empty<BoundAddress>()];

    /// <summary>The pages of the Orleans Dashboard, under <c>/dashboard</c>; null while there is no silo.</summary>
    public RequestDelegate? Dashboard => _grains.Silo?.Dashboard;

    /// <summary>Waits, however long, until this broker is a silo of the cluster.</summary>
    /// <exception cref="WhipOptionException">It cannot be one with these options.</exception>
    public async Task JoinAsync(HostPort externalGrpc, HostPort externalTcp, HostPort externalDial, CancellationToken cancellationToken)
    {
        Members.Introduce(externalGrpc, externalTcp, externalDial);
        _grains.Start();
        try
        {
            await _grains.Joined.WaitAsync(cancellationToken);
        }
        catch (MembershipRefusedException refused)
        {
            throw new WhipOptionException(OptionOf(refused.Conflict), refused.Conflict?.Value, refused.Message);
        }

        HasJoined = true;
        _loops.Run(FollowMembersAsync, _stopping.Token);
        if (_tls is not null)
        {
            _selfCheck = new SelfCheck(
                _clusterId, _brokerId, _tls, [("--external-grpc", externalGrpc), ("--external-tcp", externalTcp), ("--external-dial", externalDial)],
                _logger, _time);
            _loops.Run(_selfCheck.RunAsync, _stopping.Token);
        }
    }

    /// <summary>Whether the connection is the self-check of this broker.</summary>
    public bool IsOwn(PeerIdentity? peer) => peer?.IsBroker(_clusterId, _brokerId) == true;

    /// <summary>
    /// Whether another broker of this cluster forwards the dial. Without TLS every client on this machine may claim that, which leads to the streams of
    /// this broker only; dialers have no names then, so that a request with names is refused.
    /// </summary>
    public bool IsForwarded(Leg leg, ConnectRequest request) => request.Forwarded is { } from && (_tls is null
        ? request is { DialerNames: null, DialerId: null, DialerAddress: null } && IPAddress.IsLoopback(leg.RemoteEndPoint.Address)
        : leg.Peer?.IsBroker(_clusterId, from) == true);

    /// <summary>Takes the silo out of the cluster, as far as the others and the database can be reached in time.</summary>
    public ValueTask LeaveAsync() => _grains.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        Holders.Close();
        await Registry.DisposeAsync();
        await _grains.DisposeAsync();
        _stopping.Dispose();
    }

    /// <summary>The option that must change. The facts of a broker have the names of its options.</summary>
    private static string OptionOf(Conflict? conflict) => conflict?.Fact switch
    {
        null => nameof(WhipBrokerOptions.Postgres),
        nameof(BrokerFacts.Silo) => nameof(WhipBrokerOptions.ExternalSilo),
        var fact => fact,
    };

    private async Task FollowMembersAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var members = Members.Members;
            _metrics.Suspects(members.Count(member => member.IsSuspect));
            Holders.Follow(members);
            await Members.WaitForChangeAsync(members, cancellationToken);
        }
    }
}
