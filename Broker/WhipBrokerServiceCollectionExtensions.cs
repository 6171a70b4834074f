using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Whip.Hosting.Metrics;
using Whip.Protocol.Dialing;

namespace Whip.Broker;

/// <summary>Embeds a broker in a Generic Host.</summary>
public static class WhipBrokerServiceCollectionExtensions
{
    /// <summary>
    /// Adds a <see cref="WhipBroker"/> that starts and drains with the host, and is the <see cref="IWhipDialer"/> of the process
    /// unless one was registered before.
    /// </summary>
    public static IServiceCollection AddWhipBroker(this IServiceCollection services, Action<WhipBrokerOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.TryAddSingleton<IMetricFactory, MetricFactory>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider =>
        {
            var options = new WhipBrokerOptions();
            configure(options);
            return new WhipBroker(
                options,
                provider.GetRequiredService<ILoggerFactory>(),
                provider.GetRequiredService<IMetricFactory>(),
                provider.GetRequiredService<TimeProvider>());
        });
        services.TryAddSingleton<IWhipDialer>(provider => provider.GetRequiredService<WhipBroker>());
        services.AddSingleton<IHostedService>(provider => new BrokerHostedService(provider.GetRequiredService<WhipBroker>()));
        return services;
    }

    private sealed class BrokerHostedService(WhipBroker broker) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => broker.StartAsync(cancellationToken);

        public Task StopAsync(CancellationToken cancellationToken) => broker.StopAsync(cancellationToken);
    }
}
