using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using Whip.Agent.Homes;
using Whip.Agent.Legs;
using Whip.Hosting.Files;
using Whip.Hosting.Listening;
using Whip.Hosting.Programs;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Agent;

/// <summary>Registers one <c>hostname.domain</c> at its brokers and connects their dials to local ports.</summary>
public sealed class WhipAgent : IWhipProgram, IAsyncDisposable
{
    private readonly AgentContext _context;
    private readonly HomeSet _homes;
    private readonly CertificateWatch _certificate;
    private readonly LiveFiles _files;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _abort = new();
    private Task? _left;
    private Task? _stopped;
    private int _disposed;

    /// <summary>Checks the options; nothing is connected before <see cref="StartAsync"/>.</summary>
    /// <exception cref="WhipOptionException">An option cannot work.</exception>
    public WhipAgent(WhipAgentOptions options, ILoggerFactory? loggerFactory = null)
        : this(options, NewOpenings(TimeProvider.System), loggerFactory ?? NullLoggerFactory.Instance, Metrics.NewCustomRegistry(), TimeProvider.System)
    {
    }

    /// <summary>One of many agents of a process, which share <paramref name="openings"/> and <paramref name="identity"/>.</summary>
    internal WhipAgent(WhipAgentOptions options, HandshakeSlots openings, TlsIdentity? identity)
        : this(options, openings, NullLoggerFactory.Instance, Metrics.NewCustomRegistry(), TimeProvider.System, identity: identity)
    {
    }

    internal WhipAgent(
        WhipAgentOptions options, HandshakeSlots openings, ILoggerFactory loggerFactory, CollectorRegistry metrics, TimeProvider time,
        HostResolver? resolve = null, TlsIdentity? identity = null, DescriptorBudget? descriptors = null, IDialAcceptor? acceptor = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var settings = AgentSettings.Check(options);
        var log = loggerFactory.CreateLogger("Whip.Agent");
        identity ??= options.Tls.Enabled ? Load(options, settings.Name, time) : null;
        if (identity?.Names.HasServerAuth == true)
        {
            AgentLog.BrokersCertificate(log, $"{identity.Names}");
        }

        _certificate = new CertificateWatch("agent", identity, metrics, log, time);
        _files = new LiveFiles("agent", metrics, time, _certificate, new DenyWatch(identity?.Denied, log));
        var legMetrics = new LegMetrics(metrics, settings.Name.Domain);
        descriptors ??= DescriptorBudget.OfProcess(metrics);
        descriptors.Require(DescriptorBudget.Least);
        var connector = new Connector(time, new LegWatch(time), resolve);
        _context = new AgentContext(settings, identity, log, metrics, legMetrics, time, openings, connector, descriptors, acceptor);
        _homes = new HomeSet(_context, resolve ?? Dns.GetHostAddressesAsync);
    }

    /// <summary>The registered name.</summary>
    public string Name => _context.Settings.Name.FullName;

    /// <summary>Whether a broker has accepted the registration and its control stream is attached, and the certificate has not expired.</summary>
    public bool IsReady => HomeCount > 0 && !_certificate.HasExpired;

    /// <summary>Those that are published.</summary>
    internal IEnumerable<int> Ports => _context.Settings.Ports.Keys;

    /// <summary>Control streams that are attached.</summary>
    internal int HomeCount => _homes.Attached;

    /// <summary>The addresses of those brokers.</summary>
    internal IReadOnlyList<IPEndPoint> AttachedTo => _homes.AttachedTo;

    internal int PendingConnects => _context.Work.Pending;

    internal int OpenRelays => _context.Work.Relays;

    internal int RentedBuffers => _context.RelayContext.Buffers.Outstanding;

    IReadOnlyList<BoundAddress> IWhipProgram.BoundAddresses => [];

    string IWhipProgram.Serves => $"name={Name} ports={_context.Settings.Published}";

    void IWhipProgram.Reload() => _files.Look(atOnce: true);

    /// <summary>
    /// The control streams that the agents of one process open at a time: if thousands start at once, each gets too little
    /// processor time to finish before its deadline, and starts again. 32 per core are some 200 ms of work, so that a turn ends by itself
    /// even when brokers share the cores; one at a frozen broker takes its second.
    /// </summary>
    internal static HandshakeSlots NewOpenings(TimeProvider time) => new(32 * Environment.ProcessorCount, TimeSpan.FromSeconds(1), time);

    /// <summary>
    /// Starts looking for brokers, after the first of each check, and returns; <see cref="IsReady"/> is true once one has accepted.
    /// </summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        var settings = _context.Settings;
        AgentLog.Started(_context.Log, settings.Name, _context.Acceptor is null ? settings.Published : string.Join(',', Ports));
        var (stop, abort) = (_stop.Token, _abort.Token);
        await _context.Checks.StartAsync(stop).WaitAsync(cancellationToken);
        if (!stop.IsCancellationRequested)
        {
            _homes.Start(_files, stop, abort);
        }
    }

    /// <summary>
    /// Leaves the brokers, and returns when the dials that they had asked for are open. These run on until <see cref="StopAsync"/>.
    /// <paramref name="cancellationToken"/> ends only the wait.
    /// </summary>
    internal async Task DetachAsync(CancellationToken cancellationToken = default)
    {
        await LeaveAsync().WaitAsync(cancellationToken);
        await _context.Work.WhenNonePending().WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Leaves the brokers, lets open relays finish within the drain timeout, then resets them. <paramref name="cancellationToken"/> ends the wait early.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        Task stopped;
        lock (_stop)
        {
            stopped = _stopped ??= StopOnceAsync();
        }

        await using (cancellationToken.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), _abort))
        {
            await stopped;
        }
    }

    /// <summary>Ends everything at once; after <see cref="StopAsync"/> there is nothing left to end.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            await _abort.CancelAsync();
            await StopAsync();
            _context.Work.Dispose();
            _stop.Dispose();
            _abort.Dispose();
        }
    }

    private static TlsIdentity Load(WhipAgentOptions options, InstanceName name, TimeProvider time)
    {
        var identity = TlsIdentity.Load(options.Tls, time, PeerRole.Client);
        identity.Require(names => names.Covers(name.FullName) ? null
            : ($"covers {names}, but not {name}, so that no broker would register it", $"whip pki createandsign client --hostname {name}"));
        return identity;
    }

    private Task LeaveAsync()
    {
        lock (_stop)
        {
            return _left ??= LeaveOnceAsync();
        }
    }

    private async Task LeaveOnceAsync()
    {
        await Task.Yield();
        AgentLog.Stopping(_context.Log, _context.Settings.Name, _context.Settings.Options.DrainTimeout.TotalSeconds);
        await _stop.CancelAsync();
        await _homes.WhenEnded();
        await _context.Checks.WhenEnded();
    }

    private async Task StopOnceAsync()
    {
        await Task.Yield();
        await LeaveAsync();
        if (await _context.Work.DrainAsync(_context.Settings.Options.DrainTimeout, _abort.Token))
        {
            AgentLog.RelaysCut(_context.Log);
        }
    }
}
