using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Prometheus;
using Whip.Agent.Checks;
using Whip.Agent.ControlStreams;
using Whip.Agent.Homes;
using Whip.Agent.Legs;
using Whip.Hosting;
using Whip.Hosting.Listening;
using Whip.Hosting.Programs;
using Whip.Protocol;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;
using Whip.Protocol.Tls;

namespace Whip.Agent;

/// <summary>What the parts of one running agent share.</summary>
internal sealed record AgentContext(
    AgentSettings Settings,
    TlsIdentity? Identity,
    ILogger Log,
    CollectorRegistry Registry,
    LegMetrics LegMetrics,
    TimeProvider Time,
    HandshakeSlots Openings,
    Connector Connector,
    DescriptorBudget Descriptors,
    IDialAcceptor? Acceptor = null)
{
    private readonly string _agentId = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private readonly HashSet<HomeAddress> _unannounced = [];
    private long _generation;

    /// <summary>The descriptors of one dial: of its leg, and of the connection to the service if there is one.</summary>
    public int Places => Acceptor is null ? 2 : 1;

    public WhipLimits Limits => Settings.Options.Limits;

    /// <summary>Control streams that are attached.</summary>
    public Gauge Streams { get; } = Metrics.WithCustomRegistry(Registry).CreateGauge("whip_agent_streams", "Control streams to brokers.");

    /// <summary>How often one was lost, by <see cref="LossReasons"/>.</summary>
    public Counter Reconnects { get; } = NewReconnects(Registry);

    public OpenWork Work { get; } = new(Log, Time);

    public ServiceChecks Checks { get; } = new(Settings, Connector, Descriptors, new CheckMetrics(Registry, Settings.Name), Log, Time);

    /// <summary>The legs that are idle.</summary>
    public KeptPlaces IdleLegs { get; } = new(Descriptors);

    /// <summary>For the lines about connects that are refused.</summary>
    public LogRation Refusals { get; } = new(LogRation.Named, count => LegLog.MoreRefused(Log, count), Time);

    /// <summary>Side a of every relay is the leg to the broker.</summary>
    public RelayContext RelayContext { get; } = new(
        new RelayBuffers(
            Time,
            Settings.Options.Limits.BlockedRelayBytes,
            count =>
            {
                LegLog.BlockedReset(Log, count);
                LegMetrics.BlockedReset(count);
            }),
        Time,
        Settings.Options.Limits.HalfOpenTimeout,
        LegMetrics.RelayedToAgent,
        LegMetrics.RelayedToDialer);

    /// <summary>Grows with every stream, so that a broker can distinguish a new one from the one it replaces.</summary>
    public ulong NextGeneration() => (ulong)Interlocked.Increment(ref _generation);

    /// <param name="generation">Of the stream.</param>
    /// <param name="told">What the stream's broker is told of the checks.</param>
    public Register NewRegister(ulong generation, ToldHealth told)
    {
        var register = new Register
        {
            Hostname = Settings.Name.Hostname,
            Domain = Settings.Name.Domain,
            Ports = { Settings.Ports.Keys.Select(p => (uint)p) },
            AgentId = _agentId,
            Generation = generation,
            Zone = Settings.Options.Zone,
            Version = BuildInfo.Version,
            Capabilities = { Settings.Options.Keep ? ["ping", "keep"] : ["ping"] },
        };
        told.Tell(health =>
        {
            register.Health.Add(health);
            return true;
        });
        return register;
    }

    private static Counter NewReconnects(CollectorRegistry registry)
    {
        var reconnects = Metrics.WithCustomRegistry(registry)
            .CreateCounter("whip_agent_reconnects_total", "Control streams lost, or not established, and tried again.", "reason");
        foreach (var reason in LossReasons.All)
        {
            reconnects.WithLabels(reason);
        }

        return reconnects;
    }

    /// <summary>Logs once per address that its server, an original one, may send legs anywhere.</summary>
    public void NoteUnannounced(HomeAddress home, string legHost)
    {
        lock (_unannounced)
        {
            if (_unannounced.Count >= HomeChoice.MaxAddresses || !_unannounced.Add(home))
            {
                return;
            }
        }

        LegLog.AnyLegTarget(Log, home, legHost);
    }
}
