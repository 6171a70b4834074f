using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Prometheus;
using Whip.Agent.Homes;
using Whip.Agent.Legs;
using Whip.Hosting;
using Whip.Hosting.Listening;
using Whip.Hosting.Programs;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;
using Whip.Protocol.Tls;

namespace Whip.Agent;

/// <summary>What the parts of one running agent share.</summary>
internal sealed class AgentContext(
    AgentSettings settings, TlsIdentity? identity, ILogger log, CollectorRegistry registry, LegMetrics legMetrics, TimeProvider time, HandshakeSlots openings)
{
    private readonly string _agentId = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private readonly HashSet<HomeAddress> _unannounced = [];
    private long _generation;

    public AgentSettings Settings => settings;

    public TlsIdentity? Identity => identity;

    public ILogger Log => log;

    /// <summary>Control streams that stand.</summary>
    public Gauge Streams { get; } = Metrics.WithCustomRegistry(registry).CreateGauge("whip_agent_streams", "Control streams to brokers.");

    /// <summary>How often one was lost.</summary>
    public Counter Reconnects { get; } =
        Metrics.WithCustomRegistry(registry).CreateCounter("whip_agent_reconnects_total", "Control streams lost and tried again.");

    public LegMetrics LegMetrics => legMetrics;

    public TimeProvider Time => time;

    public WhipLimits Limits => settings.Limits;

    /// <inheritdoc cref="WhipAgent.NewOpenings"/>
    public HandshakeSlots Openings => openings;

    public OpenWork Work { get; } = new(log, time);

    /// <summary>Side a of every relay is the leg to the broker.</summary>
    public RelayContext RelayContext { get; } =
        new(new RelayBuffers(), time, settings.Limits.HalfOpenTimeout, legMetrics.RelayedToAgent, legMetrics.RelayedToDialer);

    /// <summary>Grows with every stream, so that a broker can tell a new one from the one it replaces.</summary>
    public ulong NextGeneration() => (ulong)Interlocked.Increment(ref _generation);

    public Register NewRegister(ulong generation) => new()
    {
        Hostname = settings.Name.Hostname,
        Domain = settings.Name.Domain,
        Ports = { settings.Ports.Select(p => (uint)p) },
        AgentId = _agentId,
        Generation = generation,
        Zone = settings.Zone,
        Version = BuildInfo.Version,
        Capabilities = { "ping" },
    };

    /// <summary>Says once per address that its server, an original one, may send legs anywhere.</summary>
    public void NoteUnannounced(HomeAddress home, string legHost)
    {
        lock (_unannounced)
        {
            if (_unannounced.Count >= HomeChoice.MaxAddresses || !_unannounced.Add(home))
            {
                return;
            }
        }

        LegLog.AnyLegTarget(log, home, legHost);
    }
}
