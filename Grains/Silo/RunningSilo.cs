using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Whip.Grains.Dashboard;
using Whip.Registry.Routes;

namespace Whip.Grains.Silo;

/// <summary>One silo from its start to its end. A broker may have several, one after the other.</summary>
internal sealed class RunningSilo : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly IHost _host;
    private readonly SiloDeath _death;

    private RunningSilo(IHost host)
    {
        _host = host;
        _death = (SiloDeath)host.Services.GetRequiredService<IFatalErrorHandler>();
        Calls = SiloCalls.Of(host.Services);
        Membership = host.Services.GetRequiredService<IClusterMembershipService>();
        Dashboard = DashboardPages.Create(host.Services);
    }

    public SiloCalls Calls { get; }

    public SiloAddress Address => Calls.Address;

    public IClusterMembershipService Membership { get; }

    /// <summary>The pages of the Orleans Dashboard.</summary>
    public RequestDelegate Dashboard { get; }

    /// <summary>Completes, with the reason, when the silo is one of the cluster no more.</summary>
    public Task<string> Died => _death.Died;

    /// <exception cref="Exception">It could not join: the database, the network, an address in use.</exception>
    public static async Task<RunningSilo> StartAsync(SiloSetup setup, LocalRoutes local, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<ILoggerFactory>(new SiloLoggerFactory(loggers));
        builder.Services.AddSingleton<IHostLifetime, SilentLifetime>();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = StopTimeout);
        builder.UseOrleans(silo =>
        {
            SiloConfiguration.Configure(silo, setup);
            SiloConfiguration.AddBroker(silo, setup.BrokerId, local);
        });
        builder.Services.Replace(ServiceDescriptor.Singleton<IFatalErrorHandler, SiloDeath>());
        var host = builder.Build();
        try
        {
            await host.StartAsync(cancellationToken);
            return new RunningSilo(host);
        }
        catch
        {
            await DisposeAsync(host);
            throw;
        }
    }

    /// <summary>Leaves the cluster if it can in time; the others find out if not.</summary>
    public async ValueTask DisposeAsync()
    {
        using var timeout = new CancellationTokenSource(StopTimeout);
        try
        {
            await _host.StopAsync(timeout.Token);
        }
        catch (Exception error) when (SiloFailure.IsExpected(error) || error is AggregateException)
        {
            // Nobody is told: a silo that is gone is noticed.
        }

        await DisposeAsync(_host);
    }

    private static ValueTask DisposeAsync(IHost host) => ((IAsyncDisposable)host).DisposeAsync();
}
