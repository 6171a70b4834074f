using System.Globalization;
using Prometheus;

namespace Whip.Broker.Admin;

internal sealed class AdminMetrics(CollectorRegistry registry)
{
    private readonly Counter _refused = Metrics.WithCustomRegistry(registry).CreateCounter(
        "whip_broker_admin_refused_total", "Admin requests refused, by status: 401 a wrong token or none, 403 and 421 another origin or host.", "status");

    public void Refused(int status) => _refused.WithLabels(status.ToString(CultureInfo.InvariantCulture)).Inc();
}
