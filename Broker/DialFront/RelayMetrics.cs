using Prometheus;

namespace Whip.Broker.DialFront;

internal sealed class RelayMetrics
{
    private readonly Counter.Child _bytesToAgent;
    private readonly Counter.Child _bytesToDialer;
    private readonly Counter _ended;

    public RelayMetrics(CollectorRegistry registry)
    {
        var factory = Metrics.WithCustomRegistry(registry);
        var bytes = factory.CreateCounter("whip_broker_relay_bytes_total", "Bytes relayed: to_agent or to_dialer.", "direction");
        (_bytesToAgent, _bytesToDialer) = (bytes.WithLabels("to_agent"), bytes.WithLabels("to_dialer"));
        _ended = factory.CreateCounter("whip_broker_relays_ended_total", "Relays ended, by the reason that came first.", "reason");
    }

    public void BytesToAgent(long count) => _bytesToAgent.Inc(count);

    public void BytesToDialer(long count) => _bytesToDialer.Inc(count);

    public void Ended(RelayEnd end) => _ended.WithLabels(end switch
    {
        RelayEnd.Clean => "clean",
        RelayEnd.AReset => "dialer_reset",
        RelayEnd.BReset => "agent_reset",
        RelayEnd.Cut => "cut",
        RelayEnd.Blocked => "blocked",
        _ => "half_open_timeout",
    }).Inc();
}
