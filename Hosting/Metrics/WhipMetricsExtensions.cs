using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Prometheus;

namespace Whip.Hosting.Metrics;

/// <summary>Maps the metrics of the parts of Whip that a host embeds.</summary>
public static class WhipMetricsExtensions
{
    /// <summary>
    /// Serves the metrics of every embedded part in Prometheus' text format 0.0.4. They are in the <see cref="CollectorRegistry"/> of the host's
    /// services.
    /// </summary>
    public static IEndpointConventionBuilder MapWhipMetrics(this IEndpointRouteBuilder endpoints, string pattern = "/metrics")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        return endpoints.MapRegistry(endpoints.ServiceProvider.GetService<CollectorRegistry>() ?? Prometheus.Metrics.NewCustomRegistry(), pattern);
    }

    internal static IEndpointConventionBuilder MapRegistry(this IEndpointRouteBuilder endpoints, CollectorRegistry registry, string pattern) => endpoints
        .MapMetrics(
            settings =>
            {
                settings.Registry = registry;
                settings.EnableOpenMetrics = false;
            },
            pattern)
        .WithMetadata(new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]));
}
