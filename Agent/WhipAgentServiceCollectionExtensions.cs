using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Whip.Hosting.Listening;
using Whip.Hosting.Programs;

namespace Whip.Agent;

/// <summary>Runs agents inside another program.</summary>
public static class WhipAgentServiceCollectionExtensions
{
    /// <summary>Adds a <see cref="WhipAgent"/> that starts and stops with the host; each call adds one more.</summary>
    public static IServiceCollection AddWhipAgent(this IServiceCollection services, Action<WhipAgentOptions> configure)
    {
        EmbeddedPart.Add(services, configure, static (provider, options, context) =>
            new WhipAgent(
                options, provider.GetRequiredService<HandshakeSlots>(), context.LoggerFactory, context.Metrics, context.Time,
                descriptors: context.Descriptors));
        services.TryAddSingleton(provider => WhipAgent.NewOpenings(provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}
