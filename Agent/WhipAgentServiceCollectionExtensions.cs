using Microsoft.Extensions.DependencyInjection;
using Whip.Hosting.Programs;

namespace Whip.Agent;

/// <summary>Runs agents inside another program.</summary>
public static class WhipAgentServiceCollectionExtensions
{
    /// <summary>Adds a <see cref="WhipAgent"/> that starts and stops with the host; each call adds one more.</summary>
    public static IServiceCollection AddWhipAgent(this IServiceCollection services, Action<WhipAgentOptions> configure)
    {
        EmbeddedPart.Add(services, configure, static (_, options, context) => new WhipAgent(options, context.LoggerFactory, context.Metrics, context.Time));
        return services;
    }
}
