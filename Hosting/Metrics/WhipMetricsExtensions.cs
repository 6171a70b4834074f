using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Whip.Hosting.Health;

namespace Whip.Hosting.Metrics;

/// <summary>Metrics of the parts of Whip that a host embeds.</summary>
public static class WhipMetricsExtensions
{
    /// <summary>Serves the metrics of every embedded part in Prometheus' text format 0.0.4; empty while none is added.</summary>
    public static IEndpointConventionBuilder MapWhipMetrics(this IEndpointRouteBuilder endpoints, string pattern = "/metrics") =>
        endpoints.MapGet(pattern, static async context =>
        {
            context.Response.ContentType = MetricsApplication.MetricsContentType;
            var metrics = context.RequestServices.GetService<IMetricFactory>();
            await (metrics?.WriteAsync(context.Response.Body, context.RequestAborted) ?? Task.CompletedTask);
        });
}
