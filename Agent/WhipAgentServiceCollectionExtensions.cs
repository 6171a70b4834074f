using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Whip.Hosting.Metrics;

namespace Whip.Agent;

/// <summary>Runs agents inside another program.</summary>
public static class WhipAgentServiceCollectionExtensions
{
    /// <summary>Adds a <see cref="WhipAgent"/> that starts and stops with the host; each call adds one more.</summary>
    public static IServiceCollection AddWhipAgent(this IServiceCollection services, Action<WhipAgentOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.TryAddSingleton<IMetricFactory, MetricFactory>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider =>
        {
            var options = new WhipAgentOptions();
            configure(options);
            return new WhipAgent(
                options,
                provider.GetRequiredService<ILoggerFactory>(),
                provider.GetRequiredService<IMetricFactory>(),
                provider.GetRequiredService<TimeProvider>());
        });
        return services.AddHostedService<AgentService>();
    }
}
