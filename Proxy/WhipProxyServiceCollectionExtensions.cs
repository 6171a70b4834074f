using Microsoft.Extensions.DependencyInjection;
using Whip.Hosting.Programs;
using Whip.Protocol.Dialing;

namespace Whip.Proxy;

/// <summary>Embeds proxies in a Generic Host.</summary>
public static class WhipProxyServiceCollectionExtensions
{
    /// <summary>
    /// Adds a <see cref="WhipProxy"/> that starts and drains with the host; each call adds one more. Without <see cref="WhipProxyOptions.Brokers"/>
    /// it dials through the <see cref="IWhipDialer"/> of the container, such as a broker in the same process.
    /// </summary>
    public static IServiceCollection AddWhipProxy(this IServiceCollection services, Action<WhipProxyOptions> configure)
    {
        EmbeddedPart.Add<WhipProxyOptions, WhipProxy>(services, configure, static (provider, options, context) =>
        {
            if (options.Brokers.Count == 0)
            {
                options.Dialer ??= provider.GetRequiredService<IWhipDialer>();
            }

            return new WhipProxy(options, context.LoggerFactory, context.Metrics, context.Time, context.Descriptors);
        });
        return services;
    }
}
