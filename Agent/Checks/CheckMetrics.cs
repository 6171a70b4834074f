using Prometheus;

namespace Whip.Agent.Checks;

/// <summary>Of the checks of the services. There is a series for each port that is checked, of which there are 64 at most.</summary>
internal sealed class CheckMetrics(CollectorRegistry registry)
{
    private readonly Counter _checks = Metrics.WithCustomRegistry(registry).CreateCounter(
        "whip_agent_checks_total", "Checks of the service behind a port, by outcome.", "port", "outcome");

    private readonly Gauge _healthy = Metrics.WithCustomRegistry(registry).CreateGauge(
        "whip_agent_checks_healthy", "1 while the checks of the port count as passed, else 0.", "port");

    public void Checked(int port, bool isOk) => _checks.WithLabels($"{port}", isOk ? "passed" : "failed").Inc();

    public void Is(int port, bool isOk) => _healthy.WithLabels($"{port}").Set(isOk ? 1 : 0);
}
