using Prometheus;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;

namespace Whip.Cli.Forward;

/// <summary>What <c>whip forward</c> and <c>whip socks</c> count.</summary>
internal sealed class ForwardMetrics
{
    private readonly Counter _dials;

    /// <param name="registry">Gets them.</param>
    /// <param name="countOpen">Counts the connections that are open.</param>
    public ForwardMetrics(CollectorRegistry registry, Func<int> countOpen)
    {
        var metrics = Metrics.WithCustomRegistry(registry);
        _dials = metrics.CreateCounter("whip_forward_dials_total", "Connections, by how their dial ended.", "outcome");
        var open = metrics.CreateGauge("whip_forward_connections", "Connections that are open.");
        registry.AddBeforeCollectCallback(() => open.Set(countOpen()));
    }

    public void Dialled(DialOutcome outcome) => _dials.WithLabels(DialStatus.ToName(outcome)).Inc();
}
