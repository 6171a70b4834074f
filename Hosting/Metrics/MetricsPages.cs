using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Prometheus;

namespace Whip.Hosting.Metrics;

/// <summary>The three pages of <c>--metrics-listen</c>. Any other is 404.</summary>
internal static class MetricsPages
{
    private static readonly string[] Reads = [HttpMethods.Get, HttpMethods.Head];

    private static readonly IResult Ready = Results.Text("ready\n");
    private static readonly IResult NotReady = Results.Text("not ready\n", statusCode: StatusCodes.Status503ServiceUnavailable);

    public static void Map(IEndpointRouteBuilder pages, CollectorRegistry registry, Func<bool> isReady)
    {
        const string Known = "only /metrics, /healthz and /readyz are served here\n";
        var ready = Prometheus.Metrics.WithCustomRegistry(registry).CreateGauge("whip_ready", "1 while /readyz is 200, else 0.");
        registry.AddBeforeCollectCallback(() => ready.Set(isReady() ? 1 : 0));
        pages.MapRegistry(registry, "/metrics");
        pages.MapMethods("/healthz", Reads, Results.Text("ok\n").ExecuteAsync);
        pages.MapMethods("/readyz", Reads, context => (isReady() ? Ready : NotReady).ExecuteAsync(context));
        pages.MapFallback("{**path}", Results.Text(Known, statusCode: StatusCodes.Status404NotFound).ExecuteAsync);
    }
}
