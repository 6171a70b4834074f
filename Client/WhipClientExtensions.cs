using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Whip.Protocol.Dialing;
using Whip.Protocol.Options;

namespace Whip.Client;

/// <summary>Adds Whip's dialer to a service collection.</summary>
public static class WhipClientExtensions
{
    /// <summary>
    /// Registers a singleton <see cref="IWhipDialer"/> that dials as <paramref name="configure"/> says. Options that name no usable
    /// broker fail the host's start with an <see cref="OptionsValidationException"/>. The services' end is that of its idle connections.
    /// </summary>
    public static IServiceCollection AddWhipDialer(this IServiceCollection services, Action<WhipDialerOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<WhipDialerOptions>().Configure(configure).ValidateOnStart();
        services.AddSingleton<IValidateOptions<WhipDialerOptions>, OptionsValidator<WhipDialerOptions>>();
        return services.AddSingleton<IWhipDialer>(provider => new WhipDialer(provider.GetRequiredService<IOptions<WhipDialerOptions>>().Value));
    }

    /// <summary>
    /// Makes every connection of this named client a dial through the registered <see cref="IWhipDialer"/>, which may also be the
    /// broker of this process. See <see cref="WhipHttp.CreateHandler"/>.
    /// </summary>
    /// <param name="builder">Of <c>AddHttpClient("name")</c>.</param>
    /// <param name="deadline">For each dial; default 5 seconds.</param>
    /// <param name="wait">How long each dial waits for an agent to register; default zero, at most 60 seconds.</param>
    public static IHttpClientBuilder UseWhip(this IHttpClientBuilder builder, TimeSpan? deadline = null, TimeSpan wait = default)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder
            .ConfigurePrimaryHttpMessageHandler(provider => WhipHttp.CreateHandler(provider.GetRequiredService<IWhipDialer>(), deadline, wait))

            // The handler renews its connections itself; to replace it as well would only split the pool.
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan);
    }
}
