using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Whip.Broker.ControlStreams;
using Whip.Broker.DialFront;
using Whip.Broker.Dialing;
using Whip.Broker.Listening;
using Whip.Broker.Policy;
using Whip.Broker.Rendezvous;
using Whip.Hosting.Flags;
using Whip.Hosting.Grpc;
using Whip.Hosting.Listening;
using Whip.Hosting.Metrics;
using Whip.Protocol.Names;
using Whip.Protocol.Relay;
using Whip.Protocol.Tls;
using Whip.Registry.Embedded;
using Whip.Registry.Routes;

namespace Whip.Broker;

/// <summary>Everything a running broker is made of, put together in one place: bound, served, drained and taken down.</summary>
internal sealed class BrokerParts : IAsyncDisposable
{
    private readonly WhipBrokerOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly BrokerMetrics _metrics;
    private readonly EmbeddedRegistry _registry;
    private readonly LegGreeter _greeter;
    private readonly DialFrontServer _dialFront;
    private readonly ControlService _controlService;
    private readonly DialPolicyFile _policy;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskTracker _loops;

    private BrokerParts(
        WhipBrokerOptions options, TlsIdentity? tls, SocketListener rendezvous, SocketListener? dialListener,
        ILogger logger, IMetricFactory metricFactory, TimeProvider time)
    {
        (_options, _logger, _time) = (options, logger, time);
        (Rendezvous, DialListener) = (rendezvous, dialListener);
        var limits = options.Limits;
        _loops = new TaskTracker(error => BrokerLog.LoopFailed(logger, error));
        _metrics = new BrokerMetrics(metricFactory);
        _registry = new EmbeddedRegistry(new LocalRoutes(limits.WaitersPerName));
        _policy = new DialPolicyFile(options.DialPolicyPath, logger);
        _greeter = new LegGreeter(tls, _metrics, limits, logger, time);
        Identity = Identify(options, rendezvous.LocalEndPoint);
        Budget = new DialBudget(limits, _metrics);
        ControlGate = new UnauthenticatedGate(limits.UnauthenticatedConnections);
        var legs = new LegRequests(Pending, Identity, limits, time);
        Dialer = new BrokerDialer(Streams, _registry, legs, _policy, Budget, _metrics, limits, logger, time);
        InProcess = new DialOrigin(tls?.Names.Names ?? [], "this process");
        var relays = new RelayContext(Buffers, time, limits.HalfOpenTimeout, _metrics.BytesToAgent, _metrics.BytesToDialer);
        _dialFront = new DialFrontServer(Dialer, _greeter, relays, tls is not null, _metrics, limits, logger, time);
        _controlService = new ControlService(Streams, _registry, Pending, Identity, _metrics, limits, logger, time);
        if (tls is not null)
        {
            _metrics.CertificateNotAfter(tls.NotAfter);
        }
    }

    public BrokerIdentity Identity { get; }

    public LiveStreams Streams { get; } = new();

    public PendingDials Pending { get; } = new();

    public RelayBuffers Buffers { get; } = new();

    /// <summary>Control connections that have not registered.</summary>
    public UnauthenticatedGate ControlGate { get; }

    public DialBudget Budget { get; }

    public BrokerDialer Dialer { get; }

    /// <summary>Whose dials those of the embedding program are.</summary>
    public DialOrigin InProcess { get; }

    public SocketListener Rendezvous { get; }

    public SocketListener? DialListener { get; }

    public ControlServer Control { get; private set; } = null!;

    public bool IsDraining { get; private set; }

    /// <exception cref="StartupException">An option must change first.</exception>
    /// <exception cref="TlsConfigurationException">A certificate file must change first.</exception>
    public static async Task<BrokerParts> StartAsync(
        WhipBrokerOptions options, ILoggerFactory loggers, ILogger logger, IMetricFactory metrics, TimeProvider time, CancellationToken cancellationToken)
    {
        var tls = options.Tls.Enabled ? TlsIdentity.Load(options.Tls, time) : null;
        SocketListener? rendezvous = null;
        SocketListener? dialListener = null;
        try
        {
            rendezvous = Bind("--tcp-listen", options.TcpListen, RendezvousServer.Name, options, tls, logger, time);
            dialListener = options.DialListen.Length == 0 ? null : Bind("--dial-listen", options.DialListen, DialFrontServer.Name, options, tls, logger, time);
            var parts = new BrokerParts(options, tls, rendezvous, dialListener, logger, metrics, time);
            await parts.ServeAsync(tls, loggers, cancellationToken);
            return parts;
        }
        catch
        {
            await (rendezvous?.DisposeAsync() ?? ValueTask.CompletedTask);
            await (dialListener?.DisposeAsync() ?? ValueTask.CompletedTask);
            throw;
        }
    }

    /// <summary>Lets what stands come to its end within the drain timeout.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        IsDraining = true;
        _metrics.Draining(true);
        using var timeout = new CancellationTokenSource(_options.DrainTimeout, _time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        BrokerLog.Draining(_logger, Identity.BrokerId, Budget.Relays, _options.DrainTimeout.TotalSeconds);
        _controlService.RefuseRegistrations();
        await (DialListener?.StopAcceptingAsync() ?? Task.CompletedTask);
        await _dialFront.CloseIdleAsync();
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
    }

    public async ValueTask DisposeAsync()
    {
        IsDraining = true;
        _controlService.RefuseRegistrations();
        _controlService.EndStreams();
        await _stopping.CancelAsync();
        await (DialListener?.DisposeAsync() ?? ValueTask.CompletedTask);
        await Rendezvous.DisposeAsync();
        await Control.DisposeAsync();
        await _loops.WhenEmpty();
        await _registry.DisposeAsync();
        _dialFront.Dispose();
        _greeter.Dispose();
        _stopping.Dispose();
    }

    private static SocketListener Bind(
        string flag, string address, string name, WhipBrokerOptions options, TlsIdentity? tls, ILogger logger, TimeProvider time)
    {
        try
        {
            var endPoint = FlagText.Listen(flag, address).Resolve(loopbackOnly: tls is null);
            return new SocketListener(name, endPoint, options.Limits.UnauthenticatedConnections, logger, time);
        }
        catch (SocketException error)
        {
            throw StartupException.ForBind(flag, address, error);
        }
    }

    private static BrokerIdentity Identify(WhipBrokerOptions options, IPEndPoint bound)
    {
        const string Flag = "--external-tcp";
        if (options.ExternalTcp is not { Length: > 0 } external)
        {
            return bound.Address.Equals(IPAddress.Any) || bound.Address.Equals(IPAddress.IPv6Any)
                ? throw new StartupException(
                    Flag, null, $"is needed, for --tcp-listen {options.TcpListen} is every interface", "HOST:PORT, where agents reach this broker's --tcp-listen")
                : new BrokerIdentity(options.BrokerId, bound.ToString(), bound.Address.ToString(), bound.Port);
        }

        if (!HostPort.TryParse(external, out var host, out var port) || host.Length == 0)
        {
            throw new StartupException(Flag, external, "not a HOST:PORT", "broker1.example.com:8000");
        }

        port = port == 0 ? bound.Port : port;
        return new BrokerIdentity(options.BrokerId, HostPort.Format(host, port), host, port);
    }

    private async Task ServeAsync(TlsIdentity? tls, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        const string Flag = "--grpc-listen";
        try
        {
            var endPoint = FlagText.Listen(Flag, _options.GrpcListen).Resolve(loopbackOnly: tls is null);
            var control = new ControlServerOptions(
                endPoint, tls, ControlGate, _options.Limits.ControlMessageSize, reason => _metrics.Rejected("grpc", reason))
            {
                HandshakeTimeout = _options.Limits.HandshakeTimeout,
            };
            Control = await ControlServer.StartAsync(control, _controlService, loggers, cancellationToken);
        }
        catch (Exception error) when (error is SocketException or IOException)
        {
            throw StartupException.ForBind(Flag, _options.GrpcListen, error);
        }

        var rendezvous = new RendezvousServer(Pending, _greeter, _metrics, _options.Limits, _logger);
        Rendezvous.Start(rendezvous.HandleAsync);
        DialListener?.Start(_dialFront.HandleAsync);
        _loops.Run(() => new StreamPinger(Streams, _options.Limits, _time).RunAsync(_stopping.Token));
        _loops.Run(() => _policy.WatchAsync(_time, _stopping.Token));
        BrokerLog.Started(_logger, Identity.BrokerId, Control.LocalEndPoint, Rendezvous.LocalEndPoint, DialListener?.LocalEndPoint, Identity.ExternalTcp);
    }
}
