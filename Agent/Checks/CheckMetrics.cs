using Prometheus;
using Whip.Protocol.Names;

namespace Whip.Agent.Checks;

/// <summary>Of the checks of the services of one agent. There is a series for each port that is checked, of which there are 64 at most.</summary>
internal sealed class CheckMetrics(CollectorRegistry registry, InstanceName name)
{
    private readonly Counter _checks = Metrics.WithCustomRegistry(registry).CreateCounter(
        "whip_agent_checks_total", "Checks of the service behind a port, by outcome.", "name", "port", "outcome");

    private readonly Gauge _healthy = Metrics.WithCustomRegistry(registry).CreateGauge(
        "whip_agent_checks_healthy", "1 while the checks of the port count as passed, else 0.", "name", "port");

    public void Checked(int port, bool isOk) => _checks.WithLabels(name.FullName, $"{port}", isOk ? "passed" : "failed").Inc();

    public void Is(int port, bool isOk) => _healthy.WithLabels(name.FullName, $"{port}").Set(isOk ? 1 : 0);
}
