using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Hosting.Metrics;

namespace Whip.Agent;

/// <summary>Runs an agent inside another program.</summary>
public static class AgentServiceCollectionExtensions
{
    /// <summary>Adds a <see cref="WhipAgent"/> that starts and stops with the host.</summary>
    public static IServiceCollection AddWhipAgent(this IServiceCollection services, Action<WhipAgentOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddSingleton(provider =>
        {
            var options = new WhipAgentOptions();
            configure(options);
            return new WhipAgent(
                options,
                provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance,
                provider.GetService<IMetricFactory>() ?? new MetricFactory(),
                provider.GetService<TimeProvider>() ?? TimeProvider.System);
        });
        return services.AddHostedService<AgentService>();
    }
}
