using Prometheus;

namespace Whip.Agent.Legs;

/// <summary>How the brokers' connects end, and what their legs carry.</summary>
internal sealed class LegMetrics
{
    private readonly Gauge _activeConnections;
    private readonly Counter _connects;
    private readonly Counter _blockedResets;
    private readonly Counter.Child _bytesToAgent;
    private readonly Counter.Child _bytesToDialer;
    private readonly Gauge _kept;
    private readonly Counter _reused;
    private readonly Counter _stale;
    private readonly string _domain;

    public LegMetrics(CollectorRegistry registry, string domain)
    {
        var factory = Metrics.WithCustomRegistry(registry);
        _activeConnections = factory.CreateGauge("whip_client_active_connections", "Connections the agent relays to its services.", "domain", "port");
        _connects = factory.CreateCounter("whip_agent_connects_total", "Connects the brokers asked for, by outcome.", "outcome");
        _blockedResets = factory.CreateCounter(
            "whip_agent_blocked_relays_reset_total", "Relays reset because those whose reader had stopped kept too much memory.");
        var bytes = factory.CreateCounter("whip_agent_relay_bytes_total", "Bytes relayed: to_agent (towards the service) or to_dialer.", "direction");
        (_bytesToAgent, _bytesToDialer) = (bytes.WithLabels("to_agent"), bytes.WithLabels("to_dialer"));
        _kept = factory.CreateGauge("whip_agent_kept_legs", "Legs that are idle after a dial and wait for the next.");
        _reused = factory.CreateCounter("whip_agent_kept_reused_total", "Dials that came on a leg which had carried another.");
        _stale = factory.CreateCounter("whip_agent_kept_stale_total", "Idle legs that the agent closed, for their age or to have their descriptor.");
        _domain = domain;
    }

    public void Connect(string outcome) => _connects.WithLabels(outcome).Inc();

    public void BlockedReset(int count) => _blockedResets.Inc(count);

    public void Kept(int change) => _kept.Inc(change);

    public void Reused() => _reused.Inc();

    public void Stale() => _stale.Inc();

    public void RelayStarted(int localPort) => _activeConnections.WithLabels(_domain, $"{localPort}").Inc();

    public void RelayEnded(int localPort) => _activeConnections.WithLabels(_domain, $"{localPort}").Dec();

    public void RelayedToAgent(long bytes) => _bytesToAgent.Inc(bytes);

    public void RelayedToDialer(long bytes) => _bytesToDialer.Inc(bytes);
}

/// <summary>How a Connect ended, as metrics name it.</summary>
internal static class ConnectOutcome
{
    public const string Connected = "connected";
    public const string Refused = "refused";
    public const string Failed = "failed";
    public const string Cancelled = "cancelled";
}
