using Prometheus;
using Whip.Broker.Admin;
using Whip.Broker.Cluster;
using Whip.Broker.ControlStreams;
using Whip.Broker.DialFront;
using Whip.Broker.Dialing;
using Whip.Broker.Listening;
using Whip.Broker.Rendezvous;
using Whip.Hosting.Files;
using Whip.Hosting.Metrics;
using Whip.Hosting.Programs;
using Whip.Registry.Routes;

namespace Whip.Broker;

/// <summary>Creates, starts, drains and disposes the parts of a running broker.</summary>
internal sealed class BrokerParts : IAsyncDisposable
{
    private readonly WhipBrokerOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly BrokerMetrics _metrics;
    private readonly CertificateWatch _certificate;
    private readonly ListenerMetrics _listenerMetrics;
    private readonly AdminMetrics _adminMetrics;
    private readonly DescriptorBudget _descriptors;
    private readonly LegGreeter _greeter;
    private readonly DialFrontServer _dialFront;
    private readonly MembersSender _members;
    private readonly ControlService _controlService;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskTracker _loops;

    private BrokerParts(
        WhipBrokerOptions options, TlsIdentity? tls, SocketListener rendezvous, SocketListener? dialListener, SiloEndPoints? silo, LegWatch watch,
        DescriptorBudget descriptors, ILoggerFactory loggers, ILogger logger, CollectorRegistry registry, TimeProvider time)
    {
        (_options, _descriptors, _logger, _time) = (options, descriptors, logger, time);
        (Rendezvous, DialListener) = (rendezvous, dialListener);
        var limits = options.Limits;
        Pending = new PendingDials(time);
        _loops = new TaskTracker(error => BrokerLog.LoopFailed(logger, error));
        (_metrics, _listenerMetrics, _adminMetrics) = (new BrokerMetrics(registry), new ListenerMetrics(registry), new AdminMetrics(registry));
        var domains = new LabelValues(LabelValues.MaxDomains);
        var dialMetrics = new DialMetrics(registry, domains);
        var relayMetrics = new RelayMetrics(registry);
        Identity = BrokerIdentity.Create(options, tls, rendezvous.LocalEndPoint);
        tls?.Require(names => BrokerIdentity.Problem(options, Identity, names));
        Routes = new LocalRoutes(limits.WaitersPerName, options.Balance);
        Cluster = silo is null ? null : new BrokerCluster(
            options, silo, Identity.BrokerId, tls, Routes, new ClusterMetrics(registry),
            new SiloAdmission(tls is not null, PortOf(SiloAdmission.Name, Visitor.Unknown), descriptors, limits, _listenerMetrics, loggers, time),
            new HolderConnections(
                options.ClusterId, tls, new Connector(time, watch), descriptors, new KeptMetrics(registry, HolderConnections.Name), time),
            _loops, loggers, time);
        Registry = Cluster is null ? Routes : Cluster.Registry;
        Policy = new DialPolicyFile(options.DialPolicyPath, logger);
        _greeter = new LegGreeter(tls, _listenerMetrics, limits, descriptors, logger, time);
        Budget = new DialBudget(limits, descriptors, dialMetrics);
        ControlGate = new UnauthenticatedGate(limits.UnauthenticatedConnections, descriptors);
        KeptLegs = new KeptLegs(tls, descriptors, new KeptMetrics(registry, RendezvousServer.Name), time);
        Dialer = new BrokerDialer(
            Identity.BrokerId, Streams, Registry, Routes.Loads, Cluster, new LegRequests(Pending, KeptLegs, Identity, limits, logger, time), Policy,
            tls?.Denied, Budget, dialMetrics, limits, logger, time);
        var zone = options.PreferZone ? options.Zone : "";
        InProcess = new DialOrigin(tls?.Names.Names ?? [], "this process") { Id = tls?.Names.Id, Zone = zone };
        Buffers = new RelayBuffers(time, limits.BlockedRelayBytes, count => DialFrontLog.BlockedReset(logger, count));
        var relays = new RelayContext(Buffers, time, limits.HalfOpenTimeout, relayMetrics.BytesToAgent, relayMetrics.BytesToDialer);
        Kept = new KeptDialers(tls, descriptors, new KeptMetrics(registry, DialFrontServer.Name), time);
        _dialFront = new DialFrontServer(
            Dialer, Cluster, zone, _greeter, PortOf(DialFrontServer.Name, Visitor.Dialer), relays, tls, Kept, descriptors, relayMetrics,
            _listenerMetrics, limits, logger, time);
        _members = new MembersSender(options.ClusterId, Streams);
        var streamMetrics = new ControlStreamMetrics(registry, domains);
        _controlService = new ControlService(
            Streams, Registry, Routes, _members, Pending, KeptLegs, Identity, streamMetrics, limits, logger, time, _stopping.Token);
        _certificate = new CertificateWatch("broker", tls, registry, logger, time);
        Files = new LiveFiles("broker", registry, time, _certificate, Policy, new DenyWatch(tls?.Denied, logger));
    }

    public WhipBrokerOptions Options => _options;

    public BrokerIdentity Identity { get; }

    public LocalRoutes Routes { get; }

    /// <summary>Null: this broker is alone.</summary>
    public BrokerCluster? Cluster { get; }

    public IClientRegistry Registry { get; }

    public DialPolicyFile Policy { get; }

    /// <summary>Certificates, policy and deny list, as they change.</summary>
    public LiveFiles Files { get; }

    public LiveStreams Streams { get; } = new();

    public PendingDials Pending { get; }

    public RelayBuffers Buffers { get; }

    /// <summary>Control connections that have not registered.</summary>
    public UnauthenticatedGate ControlGate { get; }

    /// <summary>The idle connections of dialers.</summary>
    public KeptDialers Kept { get; }

    public KeptLegs KeptLegs { get; }

    public DialBudget Budget { get; }

    public BrokerDialer Dialer { get; }

    /// <summary>The origin of dials of the embedding program.</summary>
    public DialOrigin InProcess { get; }

    public SocketListener Rendezvous { get; }

    public SocketListener? DialListener { get; }

    public ControlListener Control { get; private set; } = null!;

    /// <summary>Null if it is off.</summary>
    public WebPages? Admin { get; private set; }

    public bool IsDraining { get; private set; }

    public bool IsReady => !IsDraining && !_certificate.HasExpired && Cluster?.IsReady != false;

    /// <summary>What keeps it from being ready, besides a drain; null if nothing is known.</summary>
    public string? Problem => _certificate.HasExpired ? "its certificate has expired" : Cluster?.Problem;

    /// <summary>In the order of the ready line.</summary>
    public IReadOnlyList<BoundAddress> BoundAddresses =>
    [
        new("grpc", Control.LocalEndPoint),
        new("tcp", Rendezvous.LocalEndPoint),
        .. DialListener is { } dial ? [new BoundAddress("dial", dial.LocalEndPoint)] : Array.Empty<BoundAddress>(),
        .. Cluster?.BoundAddresses ?? [],
        .. Admin is { } admin ? [new BoundAddress("admin", admin.LocalEndPoint)] : Array.Empty<BoundAddress>(),
    ];

    /// <exception cref="WhipOptionException">An option must change first.</exception>
    public static async Task<BrokerParts> StartAsync(
        WhipBrokerOptions options, PortBinder binder, DescriptorBudget descriptors, ILoggerFactory loggers, ILogger logger, CollectorRegistry metrics,
        TimeProvider time, CancellationToken cancellationToken)
    {
        var tls = options.Tls.Enabled ? TlsIdentity.Load(options.Tls, time, PeerRole.Broker) : null;
        var watch = new LegWatch(time);
        SocketListener? rendezvous = null;
        SocketListener? dialListener = null;
        BrokerParts? parts = null;
        try
        {
            rendezvous = await BindAsync(nameof(options.TcpListen), options.TcpListen, RendezvousServer.Name);
            dialListener = await BindAsync(nameof(options.DialListen), options.DialListen, DialFrontServer.Name);
            var silo = options.Cluster == ClusterEngine.Orleans ? await ClusterOptions.FindEndPointsAsync(options, binder, cancellationToken) : null;
            parts = new BrokerParts(options, tls, rendezvous!, dialListener, silo, watch, descriptors, loggers, logger, metrics, time);
            await parts.ServeAsync(tls, binder, loggers, cancellationToken);
            return parts;
        }
        catch
        {
            if (parts is not null)
            {
                await parts.DisposeAsync();
            }
            else
            {
                await (rendezvous?.DisposeAsync() ?? ValueTask.CompletedTask);
                await (dialListener?.DisposeAsync() ?? ValueTask.CompletedTask);
            }

            throw;
        }

        Task<SocketListener?> BindAsync(string option, string address, string name) => binder.BindAsync(
            option, address, loopbackOnly: tls is null,
            endPoint => Task.FromResult(new SocketListener(
                name, endPoint, options.Limits.UnauthenticatedConnections, descriptors, logger, time, watch, bringsLegs: name == RendezvousServer.Name)),
            cancellationToken);
    }

    /// <summary>
    /// Lets relays end within the drain timeout. In a cluster the agents leave first, while dials are still accepted; the agents of a single broker
    /// have nowhere to go.
    /// </summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        IsDraining = true;
        _metrics.Draining();
        using var deadline = new Deadline(_options.DrainTimeout, _time, cancellationToken);
        BrokerLog.Draining(_logger, Identity.BrokerId, Budget.Relays, _options.DrainTimeout.TotalSeconds);
        _controlService.RefuseRegistrations("the broker drains");
        await Kept.DrainAsync();
        _controlService.KeepNoLegs();
        if (Cluster is { HasJoined: true })
        {
            Cluster.Members.SetDraining(true);
            await new AgentDrain(Streams, _time).RunAsync(
                _options.DrainTimeout / 3, atLeast: _options.DrainDelay, atMost: _options.DrainTimeout * 2 / 3, deadline.Token);
        }

        await (DialListener?.StopAcceptingAsync() ?? Task.CompletedTask);
        await _dialFront.CloseIdleAsync();
        Cluster?.Holders.Close();
        await Dialer.EndWaitsAsync();
        await Budget.WaitForNonePendingAsync(_time, deadline.Token);
        _controlService.EndStreams();
        try
        {
            await (DialListener?.WhenEmpty() ?? Task.CompletedTask).WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            BrokerLog.DrainCut(_logger, Identity.BrokerId, Budget.Relays);
        }

        await (Cluster?.LeaveAsync() ?? ValueTask.CompletedTask);
    }

    public async ValueTask DisposeAsync()
    {
        IsDraining = true;
        _controlService.RefuseRegistrations("the broker drains");
        _controlService.EndStreams();
        await _stopping.CancelAsync();
        await (Admin?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (DialListener?.DisposeAsync() ?? ValueTask.CompletedTask);
        await Rendezvous.DisposeAsync();
        await (Control?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (Cluster?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _loops.WhenEmpty();
        _dialFront.Dispose();
        Kept.Dispose();
        _stopping.Dispose();
    }

    /// <summary>A port of this broker, as those who do not belong there are told of it.</summary>
    public PortKind PortOf(string listener, Visitor serves)
    {
        var flag = listener == RendezvousServer.Name ? "tcp" : listener;
        return new PortKind(listener, $"the {listener} port of broker {Identity.BrokerId} (--{flag}-listen)", serves) { OnLeg = Pending.RefuseLeg };
    }

    private void WarnOfUncovered(TlsIdentity? tls, IEnumerable<(string Flag, HostPort Address)> addresses)
    {
        foreach (var (flag, address) in addresses.Where(external => tls?.Names.Covers(external.Address.Host) == false))
        {
            BrokerLog.NotCovered(_logger, flag, address, $"{tls!.Names}");
        }
    }

    private async Task ServeAsync(TlsIdentity? tls, PortBinder binder, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        if (Cluster is not null)
        {
            _controlService.RefuseRegistrations("the broker is not in its cluster yet");
        }

        var admission = new ConnectionAdmission(
            tls, ControlGate, _descriptors, _options.Limits, reason => _listenerMetrics.Rejected(ConnectionAdmission.Name, reason), loggers, _time)
        {
            Port = PortOf(ConnectionAdmission.Name, Visitor.Agent),

            // The self-check.
            MayBeSilent = peer => Cluster?.IsOwn(peer) == true,
        };
        Control = (await binder.BindAsync(
            nameof(_options.GrpcListen), _options.GrpcListen, loopbackOnly: tls is null,
            endPoint => ControlListener.StartAsync(endPoint, admission, _controlService, _options.Limits, loggers, _time, cancellationToken),
            cancellationToken))!;

        // Before the cluster is joined, which may take long: its status is of interest then.
        Admin = await AdminPages.StartAsync(_options, this, binder, _descriptors, _adminMetrics, loggers, _time, cancellationToken);

        // Until it has joined, dials are answered with 503, on which a dialer tries another broker.
        DialListener?.Start(_dialFront.HandleAsync);
        var rendezvous = new RendezvousServer(
            Pending, KeptLegs, leg => Cluster?.IsOwn(leg.Peer) == true, _greeter, PortOf(RendezvousServer.Name, Visitor.Leg), _listenerMetrics, _options.Limits,
            _logger);
        Rendezvous.Start(rendezvous.HandleAsync);
        if (Cluster is not null)
        {
            var grpc = ExternalAddress.Of(nameof(_options.ExternalGrpc), _options.ExternalGrpc, Control.LocalEndPoint);
            var dial = ExternalAddress.Of(nameof(_options.ExternalDial), _options.ExternalDial, DialListener!.LocalEndPoint);
            WarnOfUncovered(tls, [("--external-grpc", grpc), ("--external-dial", dial)]);
            await Cluster.JoinAsync(grpc, Identity.ExternalTcp, dial, cancellationToken);
            _loops.Run(stopping => _members.RunAsync(Cluster.Members, stopping), _stopping.Token);
            _controlService.AcceptRegistrations();
        }

        _loops.Run(new StreamPinger(Streams, _options.Limits, _time).RunAsync, _stopping.Token);
        _loops.Run(Files.RunAsync, _stopping.Token);
        _loops.Run(new PeerWatch(Streams, tls?.Denied, _time).RunAsync, _stopping.Token);
        BrokerLog.Started(
            _logger, Identity.BrokerId, Control.LocalEndPoint, Rendezvous.LocalEndPoint, $"{DialListener?.LocalEndPoint}", $"{Identity.ExternalTcp}");
    }
}
