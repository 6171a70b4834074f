using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Prometheus;
using Whip.Hosting.Listening;
using Whip.Protocol.Options;

namespace Whip.Hosting.Programs;

/// <summary>Adds a broker, an agent or a proxy to a Generic Host.</summary>
internal static class EmbeddedPart
{
    /// <summary>Adds a part that starts and drains with the host, and returns its key. The host checks its options before any service starts.</summary>
    public static object Add<TOptions, TPart>(
        IServiceCollection services, Action<TOptions> configure, Func<IServiceProvider, TOptions, ProgramContext, TPart> create)
        where TOptions : class, ICheckedOptions
        where TPart : class, IWhipProgram
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        var key = $"{typeof(TPart).Name} {services.Count(service => service.ServiceType == typeof(TPart) && !service.IsKeyedService) + 1}";
        services.TryAddSingleton(static _ => Prometheus.Metrics.NewCustomRegistry());
        services.TryAddSingleton(static provider => DescriptorBudget.OfProcess(provider.GetRequiredService<CollectorRegistry>()));
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<TOptions>(key).Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<TOptions>, OptionsValidator<TOptions>>());
        services.AddKeyedSingleton(key, (provider, _) => create(
            provider,
            provider.GetRequiredService<IOptionsMonitor<TOptions>>().Get(key),
            new ProgramContext(
                provider.GetRequiredService<ILoggerFactory>(),
                provider.GetRequiredService<CollectorRegistry>(),
                provider.GetRequiredService<DescriptorBudget>(),
                provider.GetRequiredService<TimeProvider>())));
        services.AddSingleton(provider => provider.GetRequiredKeyedService<TPart>(key));
        services.AddSingleton<IHostedService>(provider => new Service(provider.GetRequiredKeyedService<TPart>(key)));
        return key;
    }

    private sealed class Service(IWhipProgram part) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => part.StartAsync(cancellationToken);

        public Task StopAsync(CancellationToken cancellationToken) => part.StopAsync(cancellationToken);
    }
}
