using Microsoft.Extensions.Logging;
using Whip.Broker.Forwarding;
using Whip.Broker.Peers;
using Whip.Hosting.Flags;
using Whip.Hosting.Listening;
using Whip.Hosting.Metrics;
using Whip.Protocol.Connect;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;
using Whip.Registry;
using Whip.Registry.Membership;
using Whip.Registry.Peers;
using Whip.Registry.Postgres;
using Whip.Registry.Routes;

namespace Whip.Broker.Cluster;

/// <summary>What a broker that is not alone has besides: its membership, its links to the others and the way to their streams.</summary>
internal sealed class BrokerCluster : IAsyncDisposable
{
    private static readonly TimeSpan LinkPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LinkInterval = TimeSpan.FromMilliseconds(20);

    private readonly WhipBrokerOptions _options;
    private readonly string _database;
    private readonly TaskTracker _loops;
    private readonly ILoggerFactory _loggers;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TimeProvider _time;
    private PostgresMembership? _membership;
    private SelfCheck? _selfCheck;

    public BrokerCluster(
        WhipBrokerOptions options, string brokerId, TlsIdentity? tls, LocalRoutes local, IMetricFactory metrics, TaskTracker loops, ILoggerFactory loggers, TimeProvider time)
    {
        (_options, _loops, _loggers, _time) = (options, loops, loggers, time);
        var logger = loggers.CreateLogger("Whip.Broker");
        Credentials = new ClusterCredentials(options.ClusterId, brokerId, tls, options.ClusterSecret);
        Links = new PeerLinks(Credentials, metrics, logger, time);
        Service = new PeerService(Credentials, local, logger, time);
        Holders = new HolderDialer(Credentials, tls, loops, time);
        _database = ConnectionString(options);
        Orleans = options.Cluster == ClusterEngine.Orleans ? OrleansEngine.Create(options, _database, brokerId, tls, local, loggers, time) : null;
        Found = new PeerRegistry(local, Links, Orleans?.Index, time);
        Registry = Orleans?.CreateRegistry(Found) ?? Found;
    }

    public ClusterCredentials Credentials { get; }

    public PeerLinks Links { get; }

    public PeerService Service { get; }

    public HolderDialer Holders { get; }

    public IClientRegistry Registry { get; }

    /// <summary>What the other brokers have said lately of the names that were asked for here.</summary>
    public PeerRegistry Found { get; }

    /// <summary>Null: in another engine.</summary>
    public IOrleansEngine? Orleans { get; }

    /// <summary>As <c>--cluster</c> has it.</summary>
    public string Engine => Name(_options.Cluster);

    /// <summary>It can ask the others, those of them that answer: before, it would call every name unknown that it does not hold.</summary>
    public bool IsLinked { get; private set; }

    /// <summary>It is in the cluster, and nobody else answers at its addresses.</summary>
    public bool IsReady => IsLinked && _selfCheck is { HasLooked: true, AnotherAnswersAt: null };

    /// <summary>The flag and address of this broker at which another answers; null if none does.</summary>
    public string? AnotherAnswersAt => _selfCheck?.AnotherAnswersAt;

    /// <summary>The brokers of the cluster, this one among them; empty until joined.</summary>
    public IReadOnlyList<BrokerMember> Members => _membership?.Members ?? [];

    /// <summary>Null until joined.</summary>
    public IClusterMembership? Membership => _membership;

    /// <summary>Waits, however long, until this broker is in the cluster, and then until it is linked to the others.</summary>
    /// <exception cref="StartupException">It cannot be a member as it is set up.</exception>
    public async Task JoinAsync(BrokerMember self, CancellationToken cancellationToken)
    {
        var membership = new PostgresMembership(self, new PostgresMembershipOptions { ConnectionString = _database, ClusterId = _options.ClusterId }, _loggers, _time);
        try
        {
            await membership.JoinAsync(cancellationToken);
        }
        catch (Exception error)
        {
            await membership.DisposeAsync();
            throw error is MembershipRefusedException ? new StartupException("--cluster", Engine, error.Message, "") : error;
        }

        _membership = membership;
        _selfCheck = new SelfCheck(Credentials, self.ExternalGrpc, self.ExternalTcp, self.ExternalDial, _loggers.CreateLogger("Whip.Broker"), _time);
        _loops.Run(() => _selfCheck.RunAsync(_stopping.Token));
        _loops.Run(() => Links.RunAsync(membership, _stopping.Token));
        _loops.Run(() => Holders.TrimAsync(() => Members));
        await Task.WhenAll(LinkAsync(cancellationToken), Orleans?.StartAsync(cancellationToken) ?? Task.CompletedTask);
    }

    public Peer? FindPeer(string brokerId) => Links.All.FirstOrDefault(peer => peer.Id == brokerId);

    /// <summary>Whether it is this broker that looks at its own address.</summary>
    public bool IsOwn(Leg leg) => leg.Peer?.IsBroker(Credentials.ClusterId, Credentials.BrokerId) == true;

    /// <summary>Whether another broker of this cluster has sent the request on for its dialer.</summary>
    public bool IsForwarded(Leg leg, ConnectRequest request) =>
        request.Forwarded is { } from && Credentials.IsForwardedBy(
            leg.Peer, leg.RemoteEndPoint, from, request.ForwardedProof, $"{request.Target}", NameList.Encode(request.DialerNames ?? []));

    /// <summary>Leaves the member list, as far as it can be reached in time.</summary>
    public Task LeaveAsync(CancellationToken cancellationToken) => _membership?.LeaveAsync(cancellationToken) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        Holders.Dispose();
        await Registry.DisposeAsync();
        await (Orleans?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_membership?.DisposeAsync() ?? ValueTask.CompletedTask);
        _stopping.Dispose();
    }

    // Bounded: a member may be gone although its lease is fresh.
    private async Task LinkAsync(CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        while (_time.GetElapsedTime(started) < LinkPatience && Members.Any(IsAwaited))
        {
            await Task.Delay(LinkInterval, _time, cancellationToken);
        }

        IsLinked = true;
    }

    private bool IsAwaited(BrokerMember member) =>
        member.Id != Credentials.BrokerId && !member.IsSuspect && FindPeer(member.Id) is not { IsLinked: true };

    private static string ConnectionString(WhipBrokerOptions options)
    {
        const string Flag = "WHIP_POSTGRES";
        var text = options.Postgres
            ?? throw new StartupException(Flag, null, $"is needed with --cluster {Name(options.Cluster)}", "postgres://whip:PASSWORD@db.example/whip");
        try
        {
            return PostgresConnectionString.Parse(text).ConnectionString;
        }
        catch (FormatException error)
        {
            throw new StartupException(Flag, null, error.Message, "");
        }
    }

    private static string Name(ClusterEngine engine) => engine == ClusterEngine.Orleans ? "orleans" : "embedded";
}
