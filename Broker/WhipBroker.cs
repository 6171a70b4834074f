using System.Net;
using Prometheus;
using Whip.Hosting.Programs;

namespace Whip.Broker;

/// <summary>
/// A broker inside this process: agents register with it, dialers reach them through it, and the process itself dials through
/// <see cref="IWhipDialer"/>, without a socket in between. One process may have several.
/// </summary>
public sealed class WhipBroker : IWhipDialer, IWhipProgram
{
    // Orleans has twice as many assemblies, and the database and the other silos have connections.
    private const int LeastInCluster = 512;

    private static readonly DialResult NotServing = DialResult.Failed(DialOutcome.BrokerUnreachable, "the broker of this process is not started");

    private readonly WhipBrokerOptions _options;
    private readonly ILogger _logger;
    private readonly CollectorRegistry _metrics;
    private readonly DescriptorBudget _descriptors;
    private readonly TimeProvider _time;
    private readonly PortBinder _binder;
    private readonly CancellationTokenSource _abort = new();
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource<string> _gaveUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private BrokerParts? _parts;
    private Task _givingUp = Task.CompletedTask;
    private Task? _stopped;

    /// <summary>Checks the options; nothing is bound before <see cref="StartAsync"/>.</summary>
    /// <exception cref="WhipOptionException">An option cannot work.</exception>
    public WhipBroker(WhipBrokerOptions options, ILoggerFactory? loggerFactory = null)
        : this(options, loggerFactory ?? Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance, Metrics.NewCustomRegistry(), TimeProvider.System)
    {
    }

    internal WhipBroker(
        WhipBrokerOptions options, ILoggerFactory loggerFactory, CollectorRegistry metrics, TimeProvider time, DescriptorBudget? descriptors = null,
        Func<string, string>? nameOf = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        BrokerOptionsCheck.Check(options);
        _options = options;
        _logger = loggerFactory.CreateLogger("Whip.Broker");
        LoggerFactory = loggerFactory;
        _metrics = metrics;
        _time = time;
        _binder = new PortBinder(_logger, time, nameOf ?? (static option => option));
        _descriptors = descriptors ?? DescriptorBudget.OfProcess(metrics);
        _descriptors.Require(options.Cluster == ClusterEngine.Orleans ? LeastInCluster : DescriptorBudget.Least);
    }

    /// <summary>Where agents register, once started.</summary>
    public IPEndPoint? GrpcEndPoint => _parts?.Control.LocalEndPoint;

    /// <summary>Where legs arrive, once started.</summary>
    public IPEndPoint? TcpEndPoint => _parts?.Rendezvous.LocalEndPoint;

    /// <summary>Where dialers send CONNECT, once started; null without a dial front.</summary>
    public IPEndPoint? DialEndPoint => _parts?.DialListener?.LocalEndPoint;

    /// <summary>Where the admin API is served, once started; null if it is not.</summary>
    public IPEndPoint? AdminEndPoint => _parts?.Admin?.LocalEndPoint;

    IReadOnlyList<BoundAddress> IWhipProgram.BoundAddresses => _parts?.BoundAddresses ?? [];

    bool IWhipProgram.IsReady => _parts is { IsReady: true };

    void IWhipProgram.Reload() => _parts?.Files.Look(atOnce: true);

    void IWhipProgram.LegAtAnotherPort(string problem, byte[] start) => _parts?.Pending.RefuseLeg(problem, start);

    Task<string> IWhipProgram.GaveUp => _gaveUp.Task;

    internal ILoggerFactory LoggerFactory { get; }

    /// <summary>For tests; null until started.</summary>
    internal BrokerParts? Parts => _parts;

    /// <summary>Binds the listeners and serves.</summary>
    /// <exception cref="WhipOptionException">An option must change first: an address cannot be bound, or a certificate is not valid.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (_parts is not null || _stopped is not null)
        {
            throw new InvalidOperationException("a broker starts once");
        }

        _parts = await BrokerParts.StartAsync(_options, _binder, _descriptors, LoggerFactory, _logger, _metrics, _time, cancellationToken);
        _givingUp = _parts.Cluster is { } cluster ? GiveUpAsync(cluster.Members.Superseded) : Task.CompletedTask;
    }

    /// <summary>
    /// Refuses new agents and, in a cluster, moves its own to other brokers; then refuses new dials, and lets relays end for up to
    /// <see cref="WhipBrokerOptions.DrainTimeout"/> before it resets them. Cancellation resets them at once.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        Task stopped;
        lock (_lock)
        {
            stopped = _stopped ??= StopOnceAsync();
        }

        await using (cancellationToken.UnsafeRegister(static abort => ((CancellationTokenSource)abort!).Cancel(), _abort))
        {
            await stopped;
        }
    }

    /// <summary>Stops without a drain, also in the middle of one.</summary>
    public async ValueTask DisposeAsync()
    {
        await _abort.CancelAsync();
        await StopAsync();
    }

    /// <inheritdoc/>
    public async ValueTask<DialResult> TryDialAsync(DialRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _parts is { } parts ? await parts.Dialer.DialAsync(request, parts.InProcess, cancellationToken) : NotServing;
    }

    /// <summary>Stops when another process has taken the place of this one in the cluster.</summary>
    private async Task GiveUpAsync(Task<string> superseded)
    {
        _gaveUp.TrySetResult($"another process has taken this broker's place in the cluster: {await superseded}");
        await DisposeAsync();
    }

    private async Task StopOnceAsync()
    {
        await Task.Yield();
        if (_parts is { } parts)
        {
            await parts.DrainAsync(_abort.Token);
            await parts.DisposeAsync();
            _parts = null;
        }
    }
}
