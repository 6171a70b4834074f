using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Whip.Hosting.Programs;

namespace Whip.Broker;

/// <summary>Embeds brokers in a Generic Host.</summary>
public static class WhipBrokerServiceCollectionExtensions
{
    /// <summary>
    /// Adds a <see cref="WhipBroker"/> that starts and drains with the host; each call adds one more. The first is the <see cref="IWhipDialer"/>
    /// of the process unless one was registered before.
    /// </summary>
    public static IServiceCollection AddWhipBroker(this IServiceCollection services, Action<WhipBrokerOptions> configure)
    {
        var key = EmbeddedPart.Add(
            services, configure,
            static (_, options, context) => new WhipBroker(options, context.LoggerFactory, context.Metrics, context.Time, context.Descriptors));
        services.TryAddSingleton<IWhipDialer>(provider => provider.GetRequiredKeyedService<WhipBroker>(key));
        return services;
    }
}
