using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Whip.Agent.Homes;
using Whip.Agent.Legs;
using Whip.Hosting;
using Whip.Hosting.Listening;
using Whip.Hosting.Programs;
using Whip.Protocol.Messages;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Agent;

/// <summary>What the parts of one running agent share.</summary>
internal sealed class AgentContext(
    AgentSettings settings, TlsIdentity? identity, ILogger log, AgentMetrics metrics, TimeProvider time, HandshakeSlots openings)
{
    private readonly string _agentId = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private readonly HashSet<HomeAddress> _unannounced = [];
    private long _generation;

    public AgentSettings Settings => settings;

    public TlsIdentity? Identity => identity;

    public ILogger Log => log;

    public AgentMetrics Metrics => metrics;

    public TimeProvider Time => time;

    public WhipLimits Limits => settings.Limits;

    /// <inheritdoc cref="WhipAgent.NewOpenings"/>
    public HandshakeSlots Openings => openings;

    public OpenWork Work { get; } = new(log, time);

    /// <summary>Side a of every relay is the leg to the broker.</summary>
    public RelayContext RelayContext { get; } =
        new(new RelayBuffers(), time, settings.Limits.HalfOpenTimeout, metrics.RelayedToAgent, metrics.RelayedToDialer);

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

        AgentLog.AnyLegTarget(log, home, legHost);
    }
}
