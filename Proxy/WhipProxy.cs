using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using Whip.Client;
using Whip.Hosting.Files;
using Whip.Hosting.Flags;
using Whip.Hosting.Listening;
using Whip.Hosting.Programs;
using Whip.Protocol;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Options;
using Whip.Proxy.Clients;
using Whip.Proxy.Fallback;
using Whip.Proxy.Requests;

namespace Whip.Proxy;

/// <summary>
/// A forward proxy whose upstreams are registered names: HTTP/1.1 with absolute URLs, CONNECT, WebSockets, or one fixed target.
/// </summary>
public sealed class WhipProxy : IWhipProgram
{
    private readonly WhipProxyOptions _options;
    private readonly DescriptorBudget _descriptors;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly PortBinder _binder;
    private readonly LegWatch _watch;
    private readonly ClientFront _clients;
    private readonly CertificateWatch _shownToClients;
    private readonly CertificateWatch _shownToBrokers;
    private readonly LiveFiles _files;
    private readonly TaskTracker _loops;
    private readonly CancellationTokenSource _stopping = new();
    private readonly WhipDialer? _ownDialer;
    private SocketListener? _listener;
    private Task? _stopped;

    /// <summary>Checks the options and reads the certificate files; listens on nothing yet.</summary>
    /// <exception cref="WhipOptionException">An option cannot work.</exception>
    public WhipProxy(WhipProxyOptions options, ILoggerFactory? loggerFactory = null)
        : this(options, loggerFactory ?? NullLoggerFactory.Instance, Metrics.NewCustomRegistry(), TimeProvider.System)
    {
    }

    internal WhipProxy(
        WhipProxyOptions options, ILoggerFactory loggerFactory, CollectorRegistry registry, TimeProvider time, DescriptorBudget? descriptors = null,
        Func<string, string>? nameOf = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _options = options;
        _time = time;
        _descriptors = descriptors ?? DescriptorBudget.OfProcess(registry);
        _descriptors.Require(DescriptorBudget.Least);
        _logger = loggerFactory.CreateLogger("Whip.Proxy");
        _binder = new PortBinder(_logger, time, nameOf ?? (static option => option));
        _loops = new TaskTracker(error => ProxyLog.LoopFailed(_logger, error));
        var metrics = new ProxyMetrics(registry);
        _watch = new LegWatch(time);
        var dialing = new WhipDialerOptions { Brokers = options.Brokers, Keep = options.Keep, Tls = options.Tls, Via = options.Via };
        var identity = options.Dialer is null ? WhipDialer.LoadIdentity(dialing, time) : null;
        _ownDialer = options.Dialer is not null ? null
            : new WhipDialer(dialing, identity, time, Random.Shared.Next(options.Brokers.Count), places: new KeptPlaces(_descriptors));
        var dialer = Dialer(options.Dialer ?? _ownDialer!);
        var authorization = new ProxyAuthorization(options.Username, options.Password);
        var relays = Relays(metrics);
        var tunnels = new TunnelFront(dialer, options, relays, metrics, _logger);
        var forward = new ForwardFront(options, relays, metrics, time, _logger);
        var targetCas = new TargetCas(options.TargetCaCertPath, _logger);
        ClientUpstream NewUpstream() => new(dialer, targetCas, options.Limits.DialDeadline, time);
        var certificate = options.ServerCertPath is { } path ? new FrontCertificate(path, options.ServerKeyPath, time) : null;
        var port = new PortKind("proxy", "the proxy port of whip-proxy (--proxy-listen-port)", Visitor.Browser)
        {
            // A broker in this process.
            OnLeg = (problem, start) => (options.Dialer as IWhipProgram)?.LegAtAnotherPort(problem, start),
        };
        _clients = new ClientFront(certificate, authorization, NewUpstream, tunnels, forward, options, port, time, _logger, _stopping.Token);
        _shownToClients = new CertificateWatch("proxy", certificate, registry, _logger, time) { Kind = "proxy-tls" };
        _shownToBrokers = new CertificateWatch("proxy_dialer", identity, registry, _logger, time);
        _files = new LiveFiles("proxy", registry, time, _shownToBrokers, _shownToClients, targetCas, new DenyWatch(identity?.Denied, _logger));
    }

    /// <summary>Where it listens, once started.</summary>
    public IPEndPoint LocalEndPoint => _listener?.LocalEndPoint ?? throw new InvalidOperationException("the proxy is not started");

    IReadOnlyList<BoundAddress> IWhipProgram.BoundAddresses => [new("proxy", LocalEndPoint)];

    bool IWhipProgram.IsReady =>
        _listener is not null && !_stopping.IsCancellationRequested && !_shownToClients.HasExpired && !_shownToBrokers.HasExpired;

    private bool HasPassword => !string.IsNullOrEmpty(_options.Password);

    void IWhipProgram.Reload() => _files.Look(atOnce: true);

    /// <summary>Binds and begins to serve.</summary>
    /// <exception cref="WhipOptionException">The port cannot be bound.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _listener = await _binder.BindAsync(
            nameof(_options.ListenPort), $"{_options.ListenPort}", new ListenAddress("", _options.ListenPort), loopbackOnly: !HasPassword,
            endPoint => Task.FromResult(new SocketListener(
                "proxy", endPoint, _options.Limits.UnauthenticatedConnections, _descriptors, _logger, _time, _watch)),
            cancellationToken);
        if (!HasPassword)
        {
            ProxyLog.LoopbackOnly(_logger);
        }

        _loops.Run(_files.RunAsync, _stopping.Token);
        _listener.Start(_clients.ServeAsync);
    }

    /// <summary>
    /// Accepts nothing more and ends idle connections; requests and tunnels continue for <see cref="WhipProxyOptions.DrainTimeout"/>, or
    /// until <paramref name="cancellationToken"/>, and are then reset. Idempotent.
    /// </summary>
    public Task StopAsync(CancellationToken cancellationToken = default) => _stopped ??= StopOnceAsync(cancellationToken);

    /// <summary>Stops at once: what is still open is reset.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true));
        _stopping.Dispose();
    }

    private async Task StopOnceAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        using var cut = new Deadline(_options.DrainTimeout, _time, cancellationToken);
        if (_listener is not null)
        {
            await _listener.StopAcceptingAsync();
            await _listener.WhenEmpty().WaitAsync(cut.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _listener.DisposeAsync();
        }

        _ownDialer?.Dispose();
        await _loops.WhenEmpty();
    }

    private IWhipDialer Dialer(IWhipDialer dialer)
    {
        if (_options.Fallback)
        {
            dialer = new FallbackDialer(dialer, new FallbackAddresses(_options.FallbackAllow), new Connector(_time, _watch), _time, _logger);
        }

        // A broker in this process counts the legs of its dials itself.
        return _options.Dialer is not null && !_options.Fallback ? dialer : new CountedDialer(dialer, _descriptors);
    }

    private RelayContext Relays(ProxyMetrics metrics)
    {
        var buffers = new RelayBuffers(
            _time,
            _options.Limits.BlockedRelayBytes,
            count =>
            {
                ProxyLog.BlockedReset(_logger, count);
                metrics.BlockedReset(count);
            });
        return new RelayContext(buffers, _time, _options.Limits.HalfOpenTimeout);
    }
}
