using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Whip.Hosting.Metrics;
using Whip.Protocol.Dialing;

namespace Whip.Proxy;

/// <summary>Embeds a proxy in a Generic Host.</summary>
public static class WhipProxyServiceCollectionExtensions
{
    /// <summary>
    /// Adds a <see cref="WhipProxy"/> that starts and drains with the host. Without <see cref="WhipProxyOptions.Brokers"/> it dials
    /// through the <see cref="IWhipDialer"/> of the container, such as a broker in the same process.
    /// </summary>
    public static IServiceCollection AddWhipProxy(this IServiceCollection services, Action<WhipProxyOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.TryAddSingleton<IMetricFactory, MetricFactory>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider =>
        {
            var options = new WhipProxyOptions();
            configure(options);
            if (options.Brokers.Count == 0)
            {
                options.Dialer ??= provider.GetRequiredService<IWhipDialer>();
            }

            return new WhipProxy(
                options,
                provider.GetRequiredService<ILoggerFactory>(),
                provider.GetRequiredService<IMetricFactory>(),
                provider.GetRequiredService<TimeProvider>());
        });
        services.AddSingleton<IHostedService>(provider => new ProxyHostedService(provider.GetRequiredService<WhipProxy>()));
        return services;
    }

    private sealed class ProxyHostedService(WhipProxy proxy) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => proxy.StartAsync(cancellationToken);

        public Task StopAsync(CancellationToken cancellationToken) => proxy.StopAsync(cancellationToken);
    }
}
